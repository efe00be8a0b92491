"""Translates the properties of Java's Kafka clients, as module files carry them, to librdkafka's.

Pure. No value of a property ever stands in an error or a warning: it may be a secret.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from statefun_runtime.kafka import jaas
from statefun_runtime.kafka.property_table import COMMON, CONSUMER, IGNORED, OWN, PRODUCER, REFUSED, TRANSLATED
from statefun_runtime.suggestion import nearest_name


class PropertyError(ValueError):
    """A property cannot be used; the text names it and what to do, never its value."""


class Remark(NamedTuple):
    """What is to be said of one property: an error if it cannot be used, else a warning that it is left out."""

    name: str
    text: str
    is_error: bool


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

    Stores of certificates and keys are left to `stores.py`, which reads them.

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
        elif name in IGNORED:
            warnings.append(f"the property {name} is left out: only Java's client has it")
        elif name in other:
            warnings.append(f"the property {name} is left out: a {role.value} does not have it")
        elif name not in TRANSLATED:
            raise PropertyError(_unknown(name, names))
    settings |= _login(properties) | _host_check(properties)
    return Translation(settings, tuple(warnings))


def remarks(properties: Mapping[str, str], role: Role) -> Iterator[Remark]:
    """All that `translate` says of properties, each by its name, and not only the first error."""
    for name, value in properties.items():
        try:
            warnings = translate({name: value}, role).warnings
        except PropertyError as error:
            yield Remark(name, str(error), is_error=True)
        else:
            yield from (Remark(name, text, is_error=False) for text in warnings)


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


def _host_check(properties: Mapping[str, str]) -> dict[str, str]:
    name = "ssl.endpoint.identification.algorithm"
    if name not in properties:
        return {}
    return {name: properties[name].lower() or "none"}
