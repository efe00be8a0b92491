"""The record of Kafka's egress: a `KafkaProducerRecord` in a `TypedValue`."""

from google.protobuf.message import DecodeError

from statefun.protocol.egress_pb2 import KafkaProducerRecord
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import Payload

TYPENAME = "type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord"


class InvalidKafkaRecordError(Exception):
    """The payload cannot be produced; the text completes "a record …"."""


def decode_kafka_record(payload: Payload) -> KafkaProducerRecord:
    """Decode a payload. Raises InvalidKafkaRecordError."""
    try:
        typed = TypedValue.FromString(payload)
        if typed.typename != TYPENAME:
            raise InvalidKafkaRecordError(f"is of type {typed.typename!r} instead of {TYPENAME}")
        record = KafkaProducerRecord.FromString(typed.value)
    except DecodeError as error:
        raise InvalidKafkaRecordError("is no KafkaProducerRecord") from error
    if not record.topic:
        raise InvalidKafkaRecordError("names no topic")
    return record


def headers_of(record: KafkaProducerRecord) -> list[tuple[str, str | bytes | None]]:
    """The headers of a record, in order."""
    return [(header.key, header.value if header.has_value else None) for header in record.headers]
