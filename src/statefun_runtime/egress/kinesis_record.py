"""The record of Kinesis's egress: a `KinesisEgressRecord` in a `TypedValue`."""

from google.protobuf.message import DecodeError

from statefun.protocol.egress_pb2 import KinesisEgressRecord
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Payload
from statefun_runtime.kinesis.client import PutRecord

TYPENAME = "type.googleapis.com/io.statefun.sdk.egress.KinesisEgressRecord"


class InvalidKinesisRecordError(Exception):
    """The payload cannot be put; the text completes "the record …"."""


def decode_kinesis_record(payload: Payload) -> tuple[str, PutRecord]:
    """The stream and the record of a payload. An empty hash key is none. Raises InvalidKinesisRecordError."""
    try:
        typed = TypedValue.FromString(payload)
        if typed.typename != TYPENAME:
            raise InvalidKinesisRecordError(f"is of type {typed.typename!r} instead of {TYPENAME}")
        record = KinesisEgressRecord.FromString(typed.value)
    except DecodeError as error:
        raise InvalidKinesisRecordError("is no KinesisEgressRecord") from error
    if not record.stream:
        raise InvalidKinesisRecordError("names no stream")
    if not record.partition_key:
        raise InvalidKinesisRecordError("has no partition key")
    return record.stream, PutRecord(record.partition_key, record.value_bytes, record.explicit_hash_key or None)
