"""Values that a sender gives as JSON: what their types make of them, as bytes."""

import json

from statefun.primitive_types import PRIMITIVE_TYPES
from statefun_runtime.value_json import parse_strict


class InvalidValueError(Exception):
    """The JSON is no value of its type; the text completes "the value …"."""


def parse_json(text: str | bytes) -> object:
    """What a JSON text says. NaN and infinities, which are no JSON, are refused. Raises InvalidValueError."""
    try:
        return parse_strict(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValueError(f"is not JSON: {error}") from error


def checked_json(text: bytes) -> bytes:
    """`text` if it is JSON in UTF-8. Raises InvalidValueError."""
    try:
        parse_json(text.decode())
    except UnicodeDecodeError as error:
        raise InvalidValueError(f"is not JSON: it is not UTF-8: {error}") from error
    return text


def serialize(typename: str, value: object) -> bytes:
    """The bytes of a value: a primitive as its type encodes it, any other as compact JSON. Raises InvalidValueError."""
    primitive = PRIMITIVE_TYPES.get(typename)
    try:
        if primitive:
            return primitive.serialize(value)
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValueError(f"is no {typename}: {error}") from error
