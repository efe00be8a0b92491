"""A reply as the body of a response: JSON where its value is some, else the bytes as the type encodes them."""

import json
from typing import NamedTuple

from google.protobuf.message import DecodeError

from statefun.primitive_types import PRIMITIVE_TYPES
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.json_value import InvalidValueError, checked_json
from statefun_runtime.interfaces import Payload

JSON = "application/json"
BYTES = "application/octet-stream"


class ReplyBody(NamedTuple):
    """The typename of a reply, and its value."""

    typename: str
    body: bytes
    content_type: str


def reply_body(payload: Payload) -> ReplyBody:
    """The body for an encoded `TypedValue`.

    A primitive is its value in JSON; one that JSON cannot write, as NaN, stays as it is encoded. The value of any
    other type is passed on as it is, and called JSON if it reads as such.
    """
    try:
        value = TypedValue.FromString(payload)
    except DecodeError:
        return ReplyBody("", payload, BYTES)
    try:
        body = _json(value)
    except (ValueError, InvalidValueError):
        return ReplyBody(value.typename, value.value, BYTES)
    return ReplyBody(value.typename, body, JSON)


def _json(value: TypedValue) -> bytes:
    primitive = PRIMITIVE_TYPES.get(value.typename)
    if primitive is None:
        return checked_json(value.value)
    return json.dumps(primitive.deserialize(value.value), ensure_ascii=False, allow_nan=False).encode()
