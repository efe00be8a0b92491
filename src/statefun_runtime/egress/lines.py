"""Turns the records of an egress into lines of text, the same bytes for the same record each time.

What becomes of a value, by its typename:

- a text (`io.statefun.types/string`): the text itself; one with a line break: a JSON string;
- another primitive: its JSON literal;
- any other value that is JSON: as it is, on one line;
- everything else: `{"typename": …, "value": <base64>}`. A record without a value has `null` there.
"""

import json
from base64 import b64encode
from typing import NoReturn

from google.protobuf.message import DecodeError

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.protocol.types_pb2 import (
    BooleanWrapper,
    DoubleWrapper,
    FloatWrapper,
    IntWrapper,
    LongWrapper,
    StringWrapper,
)
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import Payload

_STRING = "io.statefun.types/string"
_LITERALS: dict[str, type[BooleanWrapper | IntWrapper | LongWrapper | FloatWrapper | DoubleWrapper]] = {
    "io.statefun.types/bool": BooleanWrapper,
    "io.statefun.types/int": IntWrapper,
    "io.statefun.types/long": LongWrapper,
    "io.statefun.types/float": FloatWrapper,
    "io.statefun.types/double": DoubleWrapper,
}


def to_line(payload: Payload) -> bytes:
    """The record as one line, with its line feed. Raises EgressError if `payload` is no typed value."""
    try:
        typed = TypedValue.FromString(payload)
    except DecodeError as error:
        raise EgressError(f"a record of {len(payload)} bytes is no typed value: {error}") from error
    try:
        return _readable(typed).encode() + b"\n"
    except (DecodeError, ValueError, RecursionError):
        value = b64encode(typed.value).decode()
        return json.dumps({"typename": typed.typename, "value": value}).encode() + b"\n"


def _readable(typed: TypedValue) -> str:
    if not typed.has_value:
        return "null"
    if typed.typename == _STRING:
        text = StringWrapper.FromString(typed.value).value
        return json.dumps(text, ensure_ascii=False) if "\n" in text or "\r" in text else text
    if wrapper := _LITERALS.get(typed.typename):
        return json.dumps(wrapper.FromString(typed.value).value, allow_nan=False)
    text = typed.value.decode()
    json.loads(text, parse_constant=_refuse_constant)
    # A line break in JSON is white space: within its strings it is escaped.
    return text.replace("\r", " ").replace("\n", " ").strip()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
