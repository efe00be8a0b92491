"""The record of the playground's egress: JSON with a topic and a payload."""

import json
from typing import cast

from google.protobuf.message import DecodeError

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Payload

TYPENAME = "io.statefun.playground/EgressRecord"


class InvalidRecordError(Exception):
    """The payload is no record of the playground; the text completes "a record …"."""


def decode_record(payload: Payload) -> tuple[str, str]:
    """(topic, text). A `payload` field that is no text is given as compact JSON. Raises InvalidRecordError."""
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
    record = cast("dict[str, object]", fields)
    topic, text = record.get("topic"), record.get("payload")
    if not isinstance(topic, str) or not topic or "payload" not in record:
        raise InvalidRecordError('has no "topic" (a text) or no "payload"')
    return topic, text if isinstance(text, str) else json.dumps(text, ensure_ascii=False, separators=(",", ":"))
