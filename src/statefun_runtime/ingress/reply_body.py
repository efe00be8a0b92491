"""A reply as the body of a response: JSON where its value is some, else the bytes as the type encodes them."""

from typing import NamedTuple

from google.protobuf.message import DecodeError

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Payload
from statefun_runtime.value_json import json_text

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
        body = json_text(value.typename, value.value).encode()
    except (ValueError, RecursionError):
        return ReplyBody(value.typename, value.value, BYTES)
    return ReplyBody(value.typename, body, JSON)
