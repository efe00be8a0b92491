"""Records of a subscription as lines of JSON, the same bytes for the same record each time.

`{"cursor": …, "typename": …, "value": …}`; `base64`, the bytes as the type encodes them, instead of `value` where they
are no JSON, and neither where the record has no value.
"""

import json
from base64 import b64encode

from google.protobuf.message import DecodeError

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Payload
from statefun_runtime.value_json import check_depth, json_text


def to_line(cursor: str, payload: Payload) -> bytes:
    """The record as one line, with its line feed.

    `cursor` needs no escapes in JSON. It comes first, so that a line is found by it. A payload that is no typed value
    has the typename "".
    """
    try:
        typed = TypedValue.FromString(payload)
    except DecodeError:
        typed = TypedValue(has_value=True, value=payload)
    name = json.dumps(typed.typename, ensure_ascii=False)
    return f'{{"cursor":"{cursor}","typename":{name}{_value(typed)}}}\n'.encode()


def _value(typed: TypedValue) -> str:
    if not typed.has_value:
        return ""
    try:
        return f',"value":{_json(typed.typename, typed.value)}'
    except (ValueError, RecursionError):
        return f',"base64":"{b64encode(typed.value).decode()}"'


def _json(typename: str, value: bytes) -> str:
    text = json_text(typename, value)
    check_depth(text)
    # A line break in JSON is white space: within its strings it is escaped.
    return text.replace("\r", " ").replace("\n", " ").strip()
