"""What an HTTP request means as a message. Pure: texts and bytes in, an address and a payload out.

The rules are those of the StateFun playground, but that text arrives as a proper `io.statefun.types/string`.
"""

from functools import lru_cache
from urllib.parse import unquote

from statefun.primitive_types import PRIMITIVE_TYPES
from statefun_runtime.answer import OWN_NAMESPACE
from statefun_runtime.ingress.json_value import InvalidValueError, checked_json, parse_json, serialize
from statefun_runtime.ingress.payload import text_encoder, value_encoder
from statefun_runtime.interfaces import Address, Payload
from statefun_runtime.module.spec import check_typename

_VENDOR = "application/vnd."
_JSON = "+json"
_encode_text = text_encoder()


class InvalidRequestError(Exception):
    """The request cannot become a message; the text says why."""


def address_of(raw_path: str) -> Address:
    """The target named by `/<namespace>/<type>/<id>`, each part percent-encoded. Raises InvalidRequestError."""
    parts = raw_path.split("/")[1:]
    if len(parts) != 3 or not all(parts):
        raise InvalidRequestError("the path must be /<namespace>/<type>/<id>, each part percent-encoded")
    try:
        namespace, name, target_id = (unquote(part, errors="strict") for part in parts)
    except UnicodeDecodeError as error:
        raise InvalidRequestError("the path is not percent-encoded UTF-8") from error
    if "/" in name:
        raise InvalidRequestError("the type's name must not contain a slash")
    return checked_target(f"{namespace}/{name}"), target_id


def payload_of(content_type: str, body: bytes) -> Payload:
    """The payload for a body under a `Content-Type` ("" if there was none). Raises InvalidRequestError.

    `application/vnd.<namespace>/<name>` gives the typename, and the body is the value as its type encodes it. With
    `+json` behind it the body is JSON: of a primitive type its value, of any other the value as it stands. With any
    other content type the body is text, UTF-8 unless a charset is given.
    """
    media, _, parameters = content_type.partition(";")
    media = media.strip()
    if media[: len(_VENDOR)].lower() != _VENDOR:
        return _encode_text(_utf8(body, _charset(parameters)))
    name = media[len(_VENDOR) :]
    is_json = name[-len(_JSON) :].lower() == _JSON
    typename = checked_typename(name[: -len(_JSON)] if is_json else name)
    return value_encoder(typename)(_json_value(typename, body)) if is_json else raw_payload(typename, body)


def checked_typename(text: str) -> str:
    """`text` if it is a typename. Raises InvalidRequestError."""
    try:
        return check_typename(text)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from error


@lru_cache(maxsize=1024)
def checked_target(text: str) -> str:
    """`text` if it is the typename of functions to which anybody may send. Raises InvalidRequestError."""
    if text.startswith(f"{OWN_NAMESPACE}/"):
        raise InvalidRequestError(f"nobody can send to {OWN_NAMESPACE}: those addresses are the runtime's own")
    return checked_typename(text)


def _json_value(typename: str, body: bytes) -> bytes:
    try:
        return serialize(typename, parse_json(body)) if typename in PRIMITIVE_TYPES else checked_json(body)
    except InvalidValueError as error:
        raise InvalidRequestError(f"the body {error}") from error


def raw_payload(typename: str, body: bytes) -> Payload:
    """The payload for a value as its type encodes it, which is checked of primitives. Raises InvalidRequestError."""
    if primitive := PRIMITIVE_TYPES.get(typename):
        try:
            primitive.deserialize(body)
        except ValueError as error:
            raise InvalidRequestError(
                f"the bytes are no encoded {typename}, which travels wrapped in protobuf; "
                f"send its value as JSON under application/vnd.{typename}+json, or text as text/plain"
            ) from error
    return value_encoder(typename)(body)


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return "utf-8"


def _utf8(body: bytes, charset: str) -> bytes:
    try:
        return body.decode(charset).encode()
    except LookupError as error:
        raise InvalidRequestError(f"the charset {charset!r} is unknown; send UTF-8") from error
    except ValueError as error:
        raise InvalidRequestError(f"the body is not text in {charset}: {error}") from error
