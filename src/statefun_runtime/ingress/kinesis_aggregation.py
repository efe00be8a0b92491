"""Splits the records that the Kinesis Producer Library aggregates into the user records within them.

The format (`aggregation-format.md` of the library): four magic bytes, an `AggregatedRecord` in protobuf, its MD5. It
holds a table of partition keys (field 1), one of explicit hash keys (2) and the records (3): the index of the
partition key (1), that of the explicit hash key (2) and the data (3).
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

_MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST_BYTES = 16
_VARINT, _FIXED_64, _DELIMITED, _FIXED_32 = 0, 1, 2, 5


class UserRecord(NamedTuple):
    """A record as its producer made it. `hash_key` is what its shard follows from."""

    partition_key: str
    data: bytes
    hash_key: int


class _FormatError(ValueError):
    """The bytes are no `AggregatedRecord`."""


def user_records(data: bytes) -> list[UserRecord] | None:
    """The user records of an aggregated record, in order; None if it is none.

    What has the magic bytes but a wrong checksum or another format is a record like any other, as for the Kinesis
    Client Library.
    """
    if len(data) < len(_MAGIC) + _DIGEST_BYTES or not data.startswith(_MAGIC):
        return None
    body = data[len(_MAGIC) : -_DIGEST_BYTES]
    if hashlib.md5(body, usedforsecurity=False).digest() != data[-_DIGEST_BYTES:]:
        return None
    try:
        return _parse(body)
    except (_FormatError, UnicodeDecodeError, IndexError):
        return None


def _parse(body: bytes) -> list[UserRecord]:
    partition_keys: list[str] = []
    hash_keys: list[int] = []
    records: list[dict[int, int | bytes]] = []
    for number, value in _fields(body):
        if number in {1, 2, 3} and isinstance(value, int):
            raise _FormatError("a number where a text or a record is wanted")
        if isinstance(value, int):
            continue
        if number == 1:
            partition_keys.append(value.decode())
        elif number == 2:
            hash_keys.append(_decimal(value))
        elif number == 3:
            records.append(dict(_fields(value)))
    return [_user_record(record, partition_keys, hash_keys) for record in records]


def _user_record(record: dict[int, int | bytes], partition_keys: list[str], hash_keys: list[int]) -> UserRecord:
    key_index, hash_index, data = record.get(1), record.get(2), record.get(3)
    if not isinstance(key_index, int) or not isinstance(data, bytes):
        raise _FormatError("a record without a partition key or data")
    partition_key = partition_keys[key_index]
    hash_key = hash_keys[hash_index] if isinstance(hash_index, int) else hash_of(partition_key)
    return UserRecord(partition_key, data, hash_key)


def hash_of(partition_key: str) -> int:
    """The hash key that Kinesis gives to a partition key."""
    return int.from_bytes(hashlib.md5(partition_key.encode(), usedforsecurity=False).digest())


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 39:
        raise _FormatError("a hash key that is no number of 128 bits")
    return int(text)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of an encoded message: (number, value)."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if kind == _DELIMITED:
            length, at = _varint(message, at)
        elif kind in {_FIXED_64, _FIXED_32}:
            length = 8 if kind == _FIXED_64 else 4
        else:
            raise _FormatError("an unknown kind of field")
        if at + length > len(message):
            raise _FormatError("a field that is cut off")
        yield tag >> 3, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and the place behind it. Raises IndexError if it is cut off."""
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at
        if shift > 63:
            raise _FormatError("a number of more than 64 bits")
