"""The stores of Java's Kafka clients, with certificates and keys, as librdkafka takes them.

No password ever stands in an error.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from statefun_runtime.kafka.properties import PropertyError

MAX_BYTES = 4 << 20
"""The largest store; the one of all public authorities that comes with Java has a twentieth of it."""

_JKS_MAGIC = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
"""What stores of the types JKS and JCEKS begin with."""


def store_settings(properties: Mapping[str, str]) -> dict[str, str]:
    """Librdkafka's settings for the stores that Java's properties name; PKCS12 stores are read.

    As in Java since version 9, a store of the type JKS, which is the default, may in truth be a PKCS12 one.

    Raises:
        PropertyError: A store cannot be used; the text names it and says what to do.
    """
    return _trust(properties) | _identity(properties)


def _trust(properties: Mapping[str, str]) -> dict[str, str]:
    location = properties.get("ssl.truststore.location")
    if location is None:
        return {}
    if _kind(properties, "truststore") == "PEM":
        return {"ssl.ca.location": location}
    content = _read(location, "truststore")
    return {"ssl.ca.pem": _certificates(content, location, properties.get("ssl.truststore.password"))}


def _identity(properties: Mapping[str, str]) -> dict[str, str]:
    location = properties.get("ssl.keystore.location")
    if location is None:
        return {}
    if _kind(properties, "keystore") == "PEM":
        return {"ssl.certificate.location": location, "ssl.key.location": location}
    _read(location, "keystore")
    return {"ssl.keystore.location": location, "ssl.keystore.password": properties.get("ssl.keystore.password", "")}


def _kind(properties: Mapping[str, str], store: str) -> str:
    name = f"ssl.{store}.type"
    kind = properties.get(name, "JKS").upper()
    if kind not in {"JKS", "PEM", "PKCS12"}:
        raise PropertyError(f"the property {name} must be JKS, PEM or PKCS12")
    return kind


def _read(location: str, store: str) -> bytes:
    """A store that is to be PKCS12."""
    named = f"the property ssl.{store}.location names {location}"
    try:
        with Path(location).open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise PropertyError(f"{named}, which cannot be read: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise PropertyError(f"{named}, which is larger than {MAX_BYTES} bytes")
    if content.startswith(_JKS_MAGIC):
        raise PropertyError(
            f"{named}, a JKS store. Convert it: keytool -importkeystore -srckeystore {shlex.quote(location)} "
            f"-destkeystore store.p12 -deststoretype PKCS12; then set ssl.{store}.type to PKCS12 and "
            f"ssl.{store}.location to store.p12"
        )
    return content


def _certificates(content: bytes, location: str, password: str | None) -> str:
    """The certificates to trust in a PKCS12 store, as PEM."""
    named = f"the property ssl.truststore.location names {location}"
    try:
        store = load_pkcs12(content, None if password is None else password.encode())
    except ValueError as error:
        raise PropertyError(f"{named}, which is no PKCS12 store, or ssl.truststore.password is wrong") from error
    if store.key is not None:
        # Java trusts the own certificate of such a store and not who signed it; which is which cannot be told here.
        raise PropertyError(
            f"{named}, which holds a private key. Take the certificates to trust out of it: openssl pkcs12 "
            f"-in {shlex.quote(location)} -nokeys -cacerts -out trust.pem; then set ssl.truststore.type to PEM and "
            "ssl.truststore.location to trust.pem"
        )
    found = [item for item in (store.cert, *store.additional_certs) if item is not None]
    if not found:
        raise PropertyError(f"{named}, in which no certificate can be read; is ssl.truststore.password missing?")
    return "".join(item.certificate.public_bytes(Encoding.PEM).decode() for item in found)
