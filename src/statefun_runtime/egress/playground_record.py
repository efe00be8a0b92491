"""The record of the playground's egress: JSON with a topic and a payload."""

import json
from typing import cast

from google.protobuf.message import DecodeError

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Payload

TYPENAME = "io.statefun.playground/EgressRecord"


class InvalidRecordError(Exception):
    """The payload is no record of the playground; the text completes "a record …"."""


def decode_record(payload: Payload) -> tuple[str, bytes]:
    """(topic, body). A `payload` field that is no text is given as compact JSON. Raises InvalidRecordError."""
    fields = _fields(payload)
    topic, value = fields.get("topic"), fields.get("payload")
    if not isinstance(topic, str) or not topic or "payload" not in fields:
        raise InvalidRecordError('has no "topic" (a text) or no "payload"')
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        topic.encode()
        return topic, text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRecordError(f"is not valid Unicode: {error.reason}") from error


def _fields(payload: Payload) -> dict[str, object]:
    try:
        typed = TypedValue.FromString(payload)
    except DecodeError as error:
        raise InvalidRecordError("is no typed value") from error
    if typed.typename != TYPENAME:
        raise InvalidRecordError(f"is of type {typed.typename!r} instead of {TYPENAME}")
    try:
        fields = json.loads(typed.value)
    except (ValueError, RecursionError) as error:
        raise InvalidRecordError(f"is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise InvalidRecordError("is not a JSON object")
    return cast("dict[str, object]", fields)
