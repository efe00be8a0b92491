"""Values of an export: readable where their type is known, and always exact.

The text of a JSON value can be written in many ways, so what is readable is not enough: wherever writing it again would
give other bytes, the bytes are in the export too, and they count.
"""

import binascii
import json
from base64 import b64decode, b64encode
from typing import Any

from google.protobuf.message import DecodeError
from pydantic import BaseModel, ConfigDict

from statefun.primitive_types import PRIMITIVE_TYPES
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Payload

_NESTED = 100
_MARGIN = 16
"""How much deeper than a value a line of an export is nested, at most."""


class Model(BaseModel):
    """A part of an export. Unknown properties and values of other types are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PortableValue(Model):
    """An encoded `TypedValue`: by `payload` if that is given, else by `base64` or else `value` of its type.

    `base64` are the bytes of the value, `payload` those of the whole. With none of the three there is no value.
    """

    typename: str = ""
    value: Any = None
    base64: str | None = None
    payload: str | None = None

    def encoded(self) -> Payload:
        """The bytes that it stands for. Raises ValueError if it stands for none."""
        if self.payload is not None:
            return from_base64(self.payload)
        typed = TypedValue(typename=self.typename)
        if self.base64 is not None:
            typed.has_value, typed.value = True, from_base64(self.base64)
        elif "value" in self.model_fields_set:
            typed.has_value, typed.value = True, _serialize(self.typename, self.value)
        return typed.SerializeToString(deterministic=True)


class PortableBytes(Model):
    """Bytes that only an ingress or an egress understands: as text if they are UTF-8."""

    text: str | None = None
    base64: str | None = None

    def encoded(self) -> bytes:
        """The bytes that it stands for. Raises ValueError if it stands for none."""
        if self.base64 is not None:
            return from_base64(self.base64)
        return (self.text or "").encode()


def value_fields(payload: Payload) -> dict[str, Any]:
    """The fields of the `PortableValue` that stands for exactly these bytes."""
    fields: dict[str, Any] = {}
    try:
        typed = TypedValue.FromString(payload)
    except DecodeError:
        return {"payload": to_base64(payload)}
    fields["typename"] = typed.typename
    if typed.has_value:
        fields |= _readable(typed.typename, typed.value)
    if PortableValue(**fields).encoded() != payload:
        fields["payload"] = to_base64(payload)
    return fields


def portable_bytes(content: bytes) -> PortableBytes:
    """What stands for exactly these bytes."""
    try:
        return PortableBytes(text=content.decode())
    except UnicodeDecodeError:
        return PortableBytes(base64=to_base64(content))


def to_base64(content: bytes) -> str:
    return b64encode(content).decode()


def from_base64(text: str) -> bytes:
    """The inverse of `to_base64`. Raises ValueError if it is none."""
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"{text[:40]!r} is not base64: {error}") from error


def _readable(typename: str, encoded: bytes) -> dict[str, Any]:
    try:
        primitive = PRIMITIVE_TYPES.get(typename)
        value = primitive.deserialize(encoded) if primitive else json.loads(encoded)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        if text.count(b"[") + text.count(b"{") > _NESTED:
            json.loads(b"[" * _MARGIN + text + b"]" * _MARGIN)
        exact = _serialize(typename, value) == encoded
    except (ValueError, RecursionError):  # no JSON, or some that could not be read back from a line
        return {"base64": to_base64(encoded)}
    return {"value": value} if exact else {"value": value, "base64": to_base64(encoded)}


def _serialize(typename: str, value: object) -> bytes:
    primitive = PRIMITIVE_TYPES.get(typename)
    try:
        return primitive.serialize(value) if primitive else json.dumps(value, ensure_ascii=False).encode()
    except TypeError as error:
        raise ValueError(str(error)) from error
