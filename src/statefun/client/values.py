"""What goes through a client: messages out, replies and records in."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from statefun.address import Address
from statefun.client.errors import ReplyTypeError
from statefun.primitive_types import PRIMITIVE_TYPES, infer_type
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.typed_value import ValueCarrier
from statefun.types import Type, encode

T = TypeVar("T")
JSON = "application/json"

TargetLike: TypeAlias = Address | str
"""An address, or its text `namespace/type/id`, in which the id may contain slashes."""


def as_address(target: TargetLike) -> Address:
    """The address of a target. Raises ValueError if the text is none."""
    if isinstance(target, Address):
        return target
    parts = target.split("/", 2)
    if len(parts) != 3:
        raise ValueError(f"{target!r} is not an address; write namespace/type/id, or give an Address")
    return Address(f"{parts[0]}/{parts[1]}", parts[2])


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message of `send_many`. Without `value_type`, text, bool and float (64 bits) are understood."""

    target: TargetLike
    value: Any
    value_type: Type[Any] | None = None

    def encoded(self) -> tuple[str, bytes]:
        """The typename and the bytes of the value. Raises ValueError or TypeError if it is no value of its type."""
        value_type = self.value_type or infer_type(self.value)
        return value_type.typename, encode(value_type, self.value)

    def to_line(self) -> bytes:
        """The message as a line of a batch."""
        address = as_address(self.target)
        typename, value = self.encoded()
        fields = {
            "target": address.typename,
            "id": address.id,
            "typename": typename,
            "base64": b64encode(value).decode(),
        }
        return json.dumps(fields, ensure_ascii=False).encode() + b"\n"


class Reply(ValueCarrier):
    """What a function replied: `value_typename()`, `is_type(tpe)`, `as_type(tpe)`."""

    __slots__ = ()

    def __init__(self, typename: str, content_type: str, body: bytes) -> None:
        """The value of a response. A primitive comes as JSON, any other value as its type encodes it."""
        primitive = PRIMITIVE_TYPES.get(typename) if content_type.partition(";")[0].strip() == JSON else None
        self.source = typename, primitive.serialize(json.loads(body)) if primitive else body

    def read_as(self, tpe: Type[T]) -> T:
        """The value, which must be of this type. Raises ReplyTypeError."""
        return _read_as(self, tpe, "the reply")

    def __repr__(self) -> str:
        return f"Reply({self.value_typename()!r})"


class Record(ValueCarrier):
    """A record of a subscription. `cursor` is what to go on behind; `json` is the value if it is JSON, else None.

    The bytes of a value that came as JSON are compact JSON, which need not be those that were sent.
    """

    __slots__ = ("cursor", "json")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        """The record of a line of the subscription. Raises KeyError or ValueError if it is none."""
        self.cursor: str = fields["cursor"]
        self.json: Any = fields.get("value")
        typename: str = fields["typename"]
        if "base64" in fields:
            self.source = typename, b64decode(fields["base64"], validate=True)
        elif "value" not in fields:
            self.source = TypedValue(typename=typename)
        elif primitive := PRIMITIVE_TYPES.get(typename):
            self.source = typename, primitive.serialize(self.json)
        else:
            self.source = typename, json.dumps(self.json, ensure_ascii=False, separators=(",", ":")).encode()

    def read_as(self, tpe: Type[T]) -> T:
        """The value, which must be of this type. Raises ReplyTypeError."""
        return _read_as(self, tpe, f"the record {self.cursor}")

    def __repr__(self) -> str:
        return f"Record({self.cursor!r}, {self.value_typename()!r})"


def _read_as(carrier: ValueCarrier, tpe: Type[T], what: str) -> T:
    value = carrier.as_type(tpe) if carrier.is_type(tpe) else None
    if value is None:
        raise ReplyTypeError(f"{what} is of type {carrier.value_typename()!r}, not {tpe.typename}")
    return value
