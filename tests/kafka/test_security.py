"""Logins and TLS against a real broker, from a module file with the names of Java's client."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PKCS12Certificate,
    serialize_java_truststore,
    serialize_key_and_certificates,
)

from tests.e2e.command import Runtime, wait_until
from tests.kafka.broker import AWKWARD_PASSWORD, AWKWARD_USER, PASSWORD, USER, Broker
from tests.kafka.pipeline import FUNCTIONS
from tests.kafka.topics import Reader, Writer, create
from tests.runtime.endpoint.certificates import Certificate

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(120)]

LOGIN = 'org.apache.kafka.common.security.{module} required username="{user}" password="{password}";'
MODULE = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: kafka/in
  address: {address}
  startupPosition: {{type: earliest}}
  topics:
    - {{topic: {name}-in, valueType: kafka/text, targets: [kafka/counter]}}
  properties: {properties}
---
kind: io.statefun.kafka.v1/egress
spec:
  id: kafka/out
  address: {address}
  deliverySemantic: {{type: exactly-once, transactionTimeout: 10 s}}
  properties: {properties}
"""


def login(mechanism: str, password: str = PASSWORD) -> dict[str, str]:
    module = "plain.PlainLoginModule" if mechanism == "PLAIN" else "scram.ScramLoginModule"
    config = LOGIN.format(module=module, user=USER, password=password)
    return {"sasl.mechanism": mechanism, "sasl.jaas.config": config}


def trust(broker: Broker) -> dict[str, str]:
    return {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(broker.authority)}


def java_trust(broker: Broker) -> dict[str, str]:
    """The properties of a truststore as Java makes it, whose type is not said."""
    certificate = x509.load_pem_x509_certificate(broker.authority.read_bytes())
    encryption = serialization.BestAvailableEncryption(PASSWORD.encode())
    store = broker.authority.with_suffix(".jks")
    store.write_bytes(serialize_java_truststore([PKCS12Certificate(certificate, b"kafka")], encryption))
    return {"ssl.truststore.location": str(store), "ssl.truststore.password": PASSWORD}


def pkcs12(directory: Path, own: Certificate) -> dict[str, str]:
    """The properties of a client's key and certificate in one encrypted file."""
    key = serialization.load_pem_private_key(own.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_pem_x509_certificate(own.cert.read_bytes())
    encryption = serialization.BestAvailableEncryption(PASSWORD.encode())
    store = directory / "client.p12"
    store.write_bytes(serialize_key_and_certificates(b"client", key, certificate, None, encryption))
    return {
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": str(store),
        "ssl.keystore.password": PASSWORD,
    }


def pem(directory: Path, own: Certificate) -> dict[str, str]:
    store = directory / "client.pem"
    store.write_bytes(own.key.read_bytes() + own.cert.read_bytes())
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(store)}


class Scene:
    """A runtime with two records to read, by a module file with some properties."""

    def __init__(self, broker: Broker, directory: Path) -> None:
        self.name = directory.name
        self._broker = broker
        self._directory = directory
        self._file = directory / "module.yaml"
        self.runtime = Runtime(directory, str(self._file), "--functions", FUNCTIONS)

    def start(self, address: str, properties: Mapping[str, str]) -> None:
        create(self._broker.address, f"{self.name}-in", f"{self.name}-out")
        key = f"{self.name}.k".encode()
        Writer(self._broker.address).write(f"{self.name}-in", [(key, b"one"), (key, b"two")])
        # JSON is YAML.
        listed = json.dumps([{name: value} for name, value in properties.items()])
        self._file.write_text(MODULE.format(address=address, name=self.name, properties=listed))
        self.runtime.start("--application-id", self.name)

    def check_records_pass(self) -> None:
        reader = Reader(self._broker.address, f"{self.name}-out")
        try:
            assert [value for _, value in reader.read(2)] == ["1 one", "2 two"]
        finally:
            reader.close()
        assert self.runtime.stop() == 0
        assert PASSWORD not in self.log()

    def log(self) -> str:
        return self.runtime.command.log.read_text()


@pytest.fixture
def scene(broker: Broker, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(broker, tmp_path)
    yield made
    made.runtime.kill()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
def test_a_login_without_tls(scene: Scene, broker: Broker, mechanism: str) -> None:
    scene.start(f"127.0.0.1:{broker.ports['sasl']}", {"security.protocol": "SASL_PLAINTEXT", **login(mechanism)})
    scene.check_records_pass()


@pytest.mark.parametrize(("mechanism", "trusting"), [("PLAIN", trust), ("SCRAM-SHA-512", java_trust)])
def test_a_login_over_tls(
    scene: Scene, broker: Broker, mechanism: str, trusting: Callable[[Broker], dict[str, str]]
) -> None:
    properties = {"security.protocol": "SASL_SSL", **login(mechanism), **trusting(broker)}
    scene.start(f"localhost:{broker.ports['sasl_tls']}", properties)
    scene.check_records_pass()


@pytest.mark.parametrize("store", [pem, pkcs12])
def test_a_certificate_of_the_client(
    scene: Scene, broker: Broker, tmp_path: Path, store: Callable[[Path, Certificate], dict[str, str]]
) -> None:
    properties = {"security.protocol": "SSL", **trust(broker), **store(tmp_path, broker.client)}
    scene.start(f"localhost:{broker.ports['mutual']}", properties)
    scene.check_records_pass()


@pytest.mark.parametrize("placeholder", ["${env:KAFKA_PASSWORD}", "${file:password}"])
def test_a_password_of_any_characters_from_outside_the_module_file(
    scene: Scene, broker: Broker, tmp_path: Path, placeholder: str
) -> None:
    (tmp_path / "password").write_text(f"{AWKWARD_PASSWORD}\n")
    scene.runtime.environment = {**os.environ, "KAFKA_PASSWORD": AWKWARD_PASSWORD}
    properties = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": LOGIN.format(module="plain.PlainLoginModule", user=AWKWARD_USER, password=placeholder),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": f"${{file:{broker.authority}}}",
    }
    scene.start(f"localhost:{broker.ports['sasl_tls']}", properties)
    scene.check_records_pass()
    assert AWKWARD_PASSWORD not in scene.log()


def test_a_wrong_password_is_logged_without_it_and_the_runtime_goes_on(scene: Scene, broker: Broker) -> None:
    properties = {"security.protocol": "SASL_PLAINTEXT", **login("PLAIN", "not it")}
    scene.start(f"127.0.0.1:{broker.ports['sasl']}", properties)
    for refusal in (
        "ingress kafka/in: the login is refused .*Authentication failed",
        "egress kafka/out: the login is refused",
    ):
        wait_until(partial(is_logged, scene, refusal), refusal)
    assert "not it" not in scene.log()
    assert scene.runtime.is_ready()


def test_a_broker_that_is_not_trusted_gets_no_password(scene: Scene, broker: Broker) -> None:
    properties = {"security.protocol": "SASL_SSL", **login("PLAIN")}
    scene.start(f"localhost:{broker.ports['sasl_tls']}", properties)
    wait_until(lambda: "certificate verify failed" in scene.log(), "the refusal of the broker's certificate")
    assert PASSWORD not in scene.log()


def is_logged(scene: Scene, pattern: str) -> bool:
    return re.search(pattern, scene.log()) is not None
