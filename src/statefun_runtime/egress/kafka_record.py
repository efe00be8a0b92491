"""The record of Kafka's egress: a `KafkaProducerRecord` in a `TypedValue`."""

from typing import NamedTuple

from google.protobuf.message import DecodeError

from statefun.protocol.egress_pb2 import KafkaProducerRecord
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Payload

TYPENAME = "type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord"


class InvalidKafkaRecordError(Exception):
    """The payload cannot be produced; the text completes "a record …"."""


class KafkaRecord(NamedTuple):
    """What goes to the producer."""

    topic: str
    key: bytes | None
    value: bytes
    headers: list[tuple[str, str | bytes | None]]


def decode_kafka_record(payload: Payload) -> KafkaRecord:
    """Decode a payload. An empty key is no key, as in Flink. Raises InvalidKafkaRecordError."""
    try:
        typed = TypedValue.FromString(payload)
        if typed.typename != TYPENAME:
            raise InvalidKafkaRecordError(f"is of type {typed.typename!r} instead of {TYPENAME}")
        record = KafkaProducerRecord.FromString(typed.value)
    except DecodeError as error:
        raise InvalidKafkaRecordError("is no KafkaProducerRecord") from error
    if not record.topic:
        raise InvalidKafkaRecordError("names no topic")
    headers: list[tuple[str, str | bytes | None]] = [
        (header.key, header.value if header.has_value else None) for header in record.headers
    ]
    return KafkaRecord(record.topic, record.key.encode() or None, record.value_bytes, headers)
