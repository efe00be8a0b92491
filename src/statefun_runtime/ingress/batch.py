"""The body of a batch: JSON Lines, each of which is one message.

`{"target": "shop/cart", "id": "ada", "typename": "shop/AddToCart", "value": {"item": "socks"}}`, where `base64`, the
bytes as the type encodes them, may stand instead of `value`, and a text needs no `typename`.
"""

from base64 import b64decode
from collections.abc import Iterator
from typing import NamedTuple, cast

from statefun_runtime.ingress.json_value import InvalidValueError, parse_json, serialize
from statefun_runtime.ingress.payload import STRING, value_encoder
from statefun_runtime.ingress.request import InvalidRequestError, checked_target, checked_typename, raw_payload
from statefun_runtime.interfaces import Address, Payload

MAX_MESSAGES = 10_000
"""Most messages of one batch: they all belong to one epoch."""
_FIELDS = ("target", "id", "typename", "value", "base64")


class BatchMessage(NamedTuple):
    """One line of a batch."""

    target: Address
    payload: Payload


def read_batch(body: bytes) -> list[BatchMessage]:
    """All messages of a body, in order. Empty lines are passed over.

    Raises:
        InvalidRequestError: A line is no message, and the text names it; or there are none, or too many.
    """
    messages: list[BatchMessage] = []
    for number, line in _lines(body):
        if len(messages) == MAX_MESSAGES:
            raise InvalidRequestError(f"line {number}: a batch has at most {MAX_MESSAGES} messages; send several")
        try:
            messages.append(_message(line))
        except InvalidRequestError as error:
            raise InvalidRequestError(f"line {number}: {error}") from error
    if not messages:
        raise InvalidRequestError("the batch has no message; send one JSON object a line")
    return messages


def _lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers from 1. Only a line feed ends a line."""
    return ((number, line) for number, line in enumerate(body.split(b"\n"), 1) if line and not line.isspace())


def _message(line: bytes) -> BatchMessage:
    fields = _fields(line)
    target = checked_target(_text(fields, "target")), _text(fields, "id")
    if not target[1]:
        raise InvalidRequestError('the "id" is empty')
    if ("value" in fields) == ("base64" in fields):
        raise InvalidRequestError('needs either "value" or "base64"')
    if "base64" in fields:
        typename = checked_typename(_text(fields, "typename"))
        return BatchMessage(target, raw_payload(typename, _decoded(_text(fields, "base64"))))
    typename = checked_typename(_text(fields, "typename")) if "typename" in fields else STRING
    try:
        return BatchMessage(target, value_encoder(typename)(serialize(typename, fields["value"])))
    except InvalidValueError as error:
        hint = "" if "typename" in fields else '; say its "typename"'
        raise InvalidRequestError(f"the value {error}{hint}") from error


def _fields(line: bytes) -> dict[str, object]:
    try:
        fields = parse_json(line.decode())
    except (UnicodeDecodeError, InvalidValueError) as error:
        raise InvalidRequestError(str(error)) from error
    if not isinstance(fields, dict):
        raise InvalidRequestError("is not a JSON object")
    known = cast("dict[str, object]", fields)
    for name in known:
        if name not in _FIELDS:
            raise InvalidRequestError(f"has the unknown field {name!r}; known are {', '.join(_FIELDS)}")
    return known


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise InvalidRequestError(f'needs "{name}", a text')
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise InvalidRequestError(f'"{name}" has half of a surrogate pair, which is no character')
    return value


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidRequestError(f'"base64" is not base64: {error}') from error
