"""Translates `clientConfigProperties`, which carry the names of the Java clients. Pure.

No value of a property ever stands in an error or a warning: it may be a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from statefun_runtime.kinesis.property_table import EGRESS, IGNORED, INGRESS, REFUSED
from statefun_runtime.suggestion import nearest_name

_SECONDS = frozenset({"connect_timeout", "read_timeout", "keepalive_timeout"})
_TRUTH: Mapping[str, bool] = {"true": True, "false": False}
MOST_RECORDS = 500
"""In one request of an egress, by the service's limit."""
MOST_BYTES = 5 << 20
"""In one request of an egress, partition keys included, by the service's limit."""


class PropertyError(ValueError):
    """A property cannot be used; the text names it and what to do, never its value."""


class Role(Enum):
    """Which client the properties are for."""

    INGRESS = "ingress"
    EGRESS = "egress"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a client; times are in seconds. The defaults are those of the Java client."""

    connect_timeout: float = 10.0
    read_timeout: float = 50.0
    keepalive_timeout: float = 60.0
    max_pool_connections: int = 50
    max_attempts: int = 0
    """How often the client itself tries again; the runtime does in any case."""
    tcp_keepalive: bool = False
    user_agent_extra: str = ""
    most_records: int = MOST_RECORDS
    most_bytes: int = MOST_BYTES
    warnings: tuple[str, ...] = ()
    """About properties that were left out."""


def translate(properties: Mapping[str, str], role: Role) -> Settings:
    """Translate Java's names, whose first letter may be small too.

    Raises:
        PropertyError: A property is unknown, has no usable value, or can neither be honoured nor safely left out.
    """
    own, other = (INGRESS, EGRESS) if role is Role.INGRESS else (EGRESS, INGRESS)
    found: dict[str, object] = {}
    warnings: list[str] = []
    for given, value in properties.items():
        name = given[:1].upper() + given[1:]
        if name in own:
            found[own[name]] = _value(given, own[name], value)
        elif name in REFUSED:
            raise PropertyError(f"the property {given} cannot be honoured: {REFUSED[name]}")
        elif name in IGNORED or name in other:
            warnings.append(f"the property {given} is left out: it has no meaning here")
        else:
            raise PropertyError(_unknown(given, own))
    return Settings(**found, warnings=tuple(warnings))  # type: ignore[arg-type]


def _value(name: str, setting: str, text: str) -> object:
    if setting == "user_agent_extra":
        return text
    if setting == "tcp_keepalive":
        if text.lower() not in _TRUTH:
            raise PropertyError(f"the property {name} must be true or false")
        return _TRUTH[text.lower()]
    if not (text.isascii() and text.isdigit()) or (int(text) == 0 and setting != "max_attempts"):
        raise PropertyError(f"the property {name} must be a whole number, more than 0")
    number = int(text)
    if setting == "most_records":
        return min(number, MOST_RECORDS)
    if setting == "most_bytes":
        return min(number, MOST_BYTES)
    return number / 1000 if setting in _SECONDS else number


def _unknown(name: str, own: Mapping[str, str]) -> str:
    near = nearest_name(name, {*own, *IGNORED, *REFUSED})
    return f"the property {name} is unknown" + (f"; did you mean {near}?" if near else "; take it out")
