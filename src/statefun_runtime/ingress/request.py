"""What an HTTP request means as a message. Pure: texts and bytes in, an address and a payload out.

The rules are those of the StateFun playground, but that text arrives as a proper `io.statefun.types/string`.
"""

from urllib.parse import unquote

from google.protobuf.message import DecodeError, Message

from statefun.protocol import types_pb2
from statefun_runtime.ingress.payload import STRING, text_encoder, value_encoder
from statefun_runtime.interfaces import Address, Payload
from statefun_runtime.module.spec import check_typename

_VENDOR = "application/vnd."
_PRIMITIVES: dict[str, type[Message]] = {
    "io.statefun.types/bool": types_pb2.BooleanWrapper,
    "io.statefun.types/int": types_pb2.IntWrapper,
    "io.statefun.types/long": types_pb2.LongWrapper,
    "io.statefun.types/float": types_pb2.FloatWrapper,
    "io.statefun.types/double": types_pb2.DoubleWrapper,
    STRING: types_pb2.StringWrapper,
}
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
    return _typename(f"{namespace}/{name}"), target_id


def payload_of(content_type: str, body: bytes) -> Payload:
    """The payload for a body under a `Content-Type` ("" if there was none). Raises InvalidRequestError.

    `application/vnd.<namespace>/<name>` gives the typename, and the body is the value as its type encodes it. With any
    other content type the body is text, UTF-8 unless a charset is given.
    """
    media, _, parameters = content_type.partition(";")
    media = media.strip()
    if media[: len(_VENDOR)].lower() != _VENDOR:
        return _encode_text(_utf8(body, _charset(parameters)))
    typename = _typename(media[len(_VENDOR) :])
    if wrapper := _PRIMITIVES.get(typename):
        try:
            wrapper.FromString(body)
        except DecodeError as error:
            raise InvalidRequestError(
                f"the body is no encoded {wrapper.DESCRIPTOR.name}, which {typename} stands for; "
                "send text as text/plain"
            ) from error
    return value_encoder(typename)(body)


def _typename(text: str) -> str:
    try:
        return check_typename(text)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from error


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
