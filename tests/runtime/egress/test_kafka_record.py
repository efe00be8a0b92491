"""Payloads of the Kafka egress are decoded."""

import pytest

from statefun import kafka_egress_message
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.egress.kafka_record import TYPENAME, InvalidKafkaRecordError, KafkaRecord, decode_kafka_record


def test_a_record_of_the_sdk_is_decoded() -> None:
    message = kafka_egress_message("a/out", topic="t", value="v", key="k", headers=[("h", "1"), ("h", "2")])
    assert decode_kafka_record(message.payload()) == KafkaRecord("t", b"k", b"v", [("h", b"1"), ("h", b"2")])


def test_an_empty_key_is_no_key() -> None:
    message = kafka_egress_message("a/out", topic="t", value=b"")
    assert decode_kafka_record(message.payload()) == KafkaRecord("t", None, b"", [])


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff", "is no KafkaProducerRecord"),
        (TypedValue(typename=TYPENAME, has_value=True, value=b"\xff").SerializeToString(), "is no KafkaProducerRecord"),
        (TypedValue(typename="a/b", has_value=True).SerializeToString(), "is of type 'a/b'"),
        (TypedValue(typename=TYPENAME, has_value=True).SerializeToString(), "names no topic"),
    ],
)
def test_what_is_no_record_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(InvalidKafkaRecordError, match=reason):
        decode_kafka_record(payload)
