"""Aggregated records as the Kinesis Producer Library makes them, by descriptors of its own format."""

import hashlib
from collections.abc import Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_TYPES = descriptor_pb2.FieldDescriptorProto


def _message_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="tests/kpl.proto", package="tests.kpl", syntax="proto2")
    record = file.message_type.add(name="Record")
    for number, (name, kind, label) in enumerate(
        [
            ("partition_key_index", _TYPES.TYPE_UINT64, _TYPES.LABEL_REQUIRED),
            ("explicit_hash_key_index", _TYPES.TYPE_UINT64, _TYPES.LABEL_OPTIONAL),
            ("data", _TYPES.TYPE_BYTES, _TYPES.LABEL_REQUIRED),
        ],
        1,
    ):
        record.field.add(name=name, number=number, type=kind, label=label)
    aggregated = file.message_type.add(name="AggregatedRecord")
    for number, name in enumerate(["partition_key_table", "explicit_hash_key_table"], 1):
        aggregated.field.add(name=name, number=number, type=_TYPES.TYPE_STRING, label=_TYPES.LABEL_REPEATED)
    aggregated.field.add(
        name="records",
        number=3,
        type=_TYPES.TYPE_MESSAGE,
        label=_TYPES.LABEL_REPEATED,
        type_name=".tests.kpl.Record",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tests.kpl.AggregatedRecord"))


_AggregatedRecord = _message_class()


def body(records: Sequence[tuple[str, bytes]], hash_keys: Sequence[int] = ()) -> bytes:
    """The encoded message; `hash_keys` are the explicit ones of the first records."""
    message = _AggregatedRecord()
    keys = list(dict.fromkeys(key for key, _ in records))
    message.partition_key_table.extend(keys)
    message.explicit_hash_key_table.extend(map(str, hash_keys))
    for place, (key, data) in enumerate(records):
        record = message.records.add(partition_key_index=keys.index(key), data=data)
        if place < len(hash_keys):
            record.explicit_hash_key_index = place
    encoded: bytes = message.SerializeToString()
    return encoded


def envelope(encoded: bytes) -> bytes:
    return b"\xf3\x89\x9a\xc2" + encoded + hashlib.md5(encoded).digest()


def aggregated(records: Sequence[tuple[str, bytes]], hash_keys: Sequence[int] = ()) -> bytes:
    return envelope(body(records, hash_keys))
