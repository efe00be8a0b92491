"""Translates the properties of Java's Kafka clients, as module files carry them, to librdkafka's.

Pure. No value of a property ever stands in an error or a warning: it may be a secret.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from statefun_runtime.kafka import jaas
from statefun_runtime.kafka.property_table import COMMON, CONSUMER, IGNORED, OWN, PRODUCER, REFUSED, TRANSLATED
from statefun_runtime.suggestion import nearest_name

_FROM_JKS = "keytool -importkeystore -srckeystore {store} -destkeystore store.p12 -deststoretype PKCS12"


class PropertyError(ValueError):
    """A property cannot be used; the text names it and what to do, never its value."""


class Role(Enum):
    """Which client the properties are for."""

    CONSUMER = "consumer"
    PRODUCER = "producer"


class Translation(NamedTuple):
    """librdkafka's settings, and warnings about properties that were left out."""

    settings: dict[str, str]
    warnings: tuple[str, ...]


def translate(properties: Mapping[str, str], role: Role) -> Translation:
    """Translate Java's names; what the runtime itself decides is left out with a warning unless it is harmless.

    Raises:
        PropertyError: A property is unknown, or can neither be honoured nor safely left out.
    """
    own, other = (CONSUMER, PRODUCER) if role is Role.CONSUMER else (PRODUCER, CONSUMER)
    names = {**COMMON, **own}
    settings: dict[str, str] = {}
    warnings: list[str] = []
    for name, value in properties.items():
        if name in names:
            settings[names[name]] = value
        elif name in REFUSED:
            raise PropertyError(f"the property {name} cannot be honoured: {REFUSED[name]}")
        elif name in OWN:
            warnings.append(f"the property {name} is left out: the runtime decides it")
        elif name in IGNORED or name in other:
            warnings.append(f"the property {name} is left out: it has no meaning here")
        elif name not in TRANSLATED:
            raise PropertyError(_unknown(name, names))
    settings |= _login(properties) | _trust(properties) | _identity(properties) | _host_check(properties)
    return Translation(settings, tuple(warnings))


def _unknown(name: str, names: Mapping[str, str]) -> str:
    near = nearest_name(name, {*names, *TRANSLATED, *OWN, *IGNORED})
    return f"the property {name} is unknown" + (f"; did you mean {near}?" if near else "; take it out")


def _login(properties: Mapping[str, str]) -> dict[str, str]:
    line = properties.get(jaas.PROPERTY)
    if line is None:
        return {}
    try:
        username, password = jaas.parse_login(line)
    except jaas.JaasError as error:
        raise PropertyError(f"the property {jaas.PROPERTY} {error}") from error
    return {"sasl.username": username, "sasl.password": password}


def _trust(properties: Mapping[str, str]) -> dict[str, str]:
    location = properties.get("ssl.truststore.location")
    if location is None:
        return {}
    kind = properties.get("ssl.truststore.type", "JKS").upper()
    if kind == "PEM":
        return {"ssl.ca.location": location}
    export = f"openssl pkcs12 -in {location if kind == 'PKCS12' else 'store.p12'} -nokeys -out trust.pem"
    first = "" if kind == "PKCS12" else f"{_FROM_JKS.format(store=location)} && "
    raise PropertyError(
        f"the property ssl.truststore.location names a {kind} store; certificates to trust must be PEM. Convert it: "
        f"{first}{export}; then set ssl.truststore.type to PEM and ssl.truststore.location to trust.pem"
    )


def _identity(properties: Mapping[str, str]) -> dict[str, str]:
    location = properties.get("ssl.keystore.location")
    if location is None:
        return {}
    kind = properties.get("ssl.keystore.type", "JKS").upper()
    if kind == "PEM":
        return {"ssl.certificate.location": location, "ssl.key.location": location}
    if kind == "PKCS12":
        return {"ssl.keystore.location": location, "ssl.keystore.password": properties.get("ssl.keystore.password", "")}
    raise PropertyError(
        f"the property ssl.keystore.location names a {kind} store. Convert it: {_FROM_JKS.format(store=location)}; "
        "then set ssl.keystore.type to PKCS12 and ssl.keystore.location to store.p12"
    )


def _host_check(properties: Mapping[str, str]) -> dict[str, str]:
    name = "ssl.endpoint.identification.algorithm"
    if name not in properties:
        return {}
    return {name: properties[name].lower() or "none"}
