"""Encodes values as payloads: the bytes of a `TypedValue`, and of a `StringWrapper` within it for text.

Written by hand, since a file ingress encodes hundreds of thousands a second and the generated classes cost five times
as much. Field numbers: `statefun/protocol/request_reply.proto` and `types.proto`.
"""

from collections.abc import Callable

from statefun_runtime.interfaces import Payload

STRING = "io.statefun.types/string"

_TYPENAME_TAG = b"\x0a"
_HAS_VALUE = b"\x10\x01"
_VALUE_TAG = b"\x1a"
_STRING_VALUE_TAG = b"\x0a"


def value_encoder(typename: str) -> Callable[[bytes], Payload]:
    """A function from the bytes of a value, as its type encodes it, to its payload."""
    name = typename.encode()
    header = _TYPENAME_TAG + _varint(len(name)) + name + _HAS_VALUE

    def encode(value: bytes) -> Payload:
        return header + _VALUE_TAG + _varint(len(value)) + value if value else header

    return encode


def text_encoder() -> Callable[[bytes], Payload]:
    """A function from a text in UTF-8 to its payload as a `STRING`."""
    encode = value_encoder(STRING)

    def encode_text(text: bytes) -> Payload:
        return encode(_STRING_VALUE_TAG + _varint(len(text)) + text if text else b"")

    return encode_text


def _varint(number: int) -> bytes:
    if number < 0x80:
        return _SMALL[number]
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


_SMALL = tuple(bytes((number,)) for number in range(0x80))
