"""Shows encoded values to people and programs."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from statefun.primitive_types import PRIMITIVE_TYPES
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Address, Payload
from statefun_runtime.operation import target_text

Json: TypeAlias = Any


def decode_payload(payload: Payload) -> dict[str, Json]:
    """The typename and the value of an encoded `TypedValue`, fit for JSON.

    The value is under `value` for primitive types and for whatever is JSON text; of other types the bytes are under
    `base64`. Without a value there is neither. Headers, if there are any, are pairs of a key and a text; of what is not
    UTF-8 the bytes are under `base64`.
    """
    typed = TypedValue.FromString(payload)
    shown: dict[str, Json] = {"typename": typed.typename}
    if typed.metadata:
        shown["headers"] = [[header.key, _header(header)] for header in typed.metadata]
    if not typed.has_value:
        return shown
    try:
        primitive = PRIMITIVE_TYPES.get(typed.typename)
        shown["value"] = primitive.deserialize(typed.value) if primitive else json.loads(typed.value)
    except (ValueError, RecursionError):  # bytes that are no JSON, or JSON nested too deep to be anybody's
        shown["base64"] = base64.b64encode(typed.value).decode()
    return shown


def _header(header: TypedValue.Metadata) -> Json:
    if not header.has_value:
        return None
    try:
        return header.value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(header.value).decode()}


def one_line(shown: Mapping[str, Json]) -> str:
    """A decoded payload as text: JSON, or base64 with a mark."""
    if "base64" in shown:
        return f"base64:{shown['base64']}"
    return json.dumps(shown["value"], ensure_ascii=False) if "value" in shown else "-"


def typed_line(payload: Payload) -> str:
    """An encoded `TypedValue` as a line of text: typename and value."""
    shown = decode_payload(payload)
    headers = f"  headers {json.dumps(shown['headers'], ensure_ascii=False)}" if "headers" in shown else ""
    return f"{shown['typename']}  {one_line(shown)}{headers}"


def time_text(milliseconds: int) -> str:
    """A time of the engine in ISO 8601, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def caller_text(caller: Address | None) -> str:
    """Who sent a message, as a line of text; `None` stands for an ingress."""
    return "an ingress" if caller is None else target_text(caller)


def address_json(address: Address | None) -> dict[str, str] | None:
    """An address fit for JSON; `None` stands for an ingress."""
    return None if address is None else {"type": address[0], "id": address[1]}
