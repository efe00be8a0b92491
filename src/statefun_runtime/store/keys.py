"""Keys of the store: byte strings whose order is the order of what they name.

Text is UTF-8 with a NUL at the end and none within (NUL is written as 1 1, and 1 as 1 2), so that no text is a prefix
of another and the parts of an address sort one after the other. Numbers are eight bytes, big-endian.
"""

import struct
from functools import lru_cache

from statefun_runtime.epoch import DelayedKey, Token
from statefun_runtime.errors import FormatError
from statefun_runtime.interfaces import Address, Message

_NUMBER = struct.Struct(">Q")
_PAIR = struct.Struct(">QQ")
NUMBER_BYTES = _NUMBER.size


def text_key(text: str) -> bytes:
    """The ordered form of a text."""
    if text.isprintable():
        return text.encode() + b"\0"
    return text.encode().replace(b"\1", b"\1\2").replace(b"\0", b"\1\1") + b"\0"


def address_key(address: Address) -> bytes:
    """The ordered form of an address: by typename, then by id."""
    return _typename_key(address[0]) + text_key(address[1])


@lru_cache(maxsize=4096)
def _typename_key(typename: str) -> bytes:
    # Of every row that is written; there are few of them.
    return text_key(typename)


def message_key(message: Message) -> bytes:
    """The order of a mailbox: by address, then by sequence."""
    return sequence_key(message[1], message[0])


def sequence_key(address: Address, sequence: int) -> bytes:
    """The key of the message of this sequence in the mailbox of an address."""
    return address_key(address) + _NUMBER.pack(sequence)


def delayed_key(key: DelayedKey) -> bytes:
    """The order in which delayed messages fire."""
    return _PAIR.pack(*key)


def token_key(token: Token) -> bytes:
    """By owner, then by token."""
    return address_key(token[0]) + text_key(token[1])


def numbered_key(text: str, number: int) -> bytes:
    """By text, then by number: an egress and its epochs."""
    return text_key(text) + _NUMBER.pack(number)


def number_key(number: int) -> bytes:
    """By number."""
    return _NUMBER.pack(number)


def pair_key(first: str, second: str) -> bytes:
    """By two texts: an ingress and its partitions."""
    return text_key(first) + text_key(second)


def read_text(key: bytes, start: int = 0) -> tuple[str, int]:
    """The text that begins at `start`, and where the next part begins."""
    end = key.find(b"\0", start)
    if end == -1:
        raise FormatError(f"key {key!r} has no end of text after byte {start}; the store is damaged or foreign")
    return key[start:end].replace(b"\1\1", b"\0").replace(b"\1\2", b"\1").decode(), end + 1


def read_address(key: bytes) -> tuple[Address, int]:
    """The address at the start of a key, and where the next part begins."""
    typename, middle = read_text(key)
    identifier, end = read_text(key, middle)
    return (typename, identifier), end


def read_number(key: bytes, start: int) -> int:
    """The number that begins at `start`."""
    return int(_NUMBER.unpack_from(key, start)[0])


def read_delayed(key: bytes) -> DelayedKey:
    """The inverse of `delayed_key`."""
    due, sequence = _PAIR.unpack(key)
    return due, sequence


def after_prefix(prefix: bytes) -> bytes | None:
    """The first key after all that begin with `prefix`; `None` if there is no such key."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1]) if stripped else None
