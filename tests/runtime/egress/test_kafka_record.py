"""Payloads of the Kafka egress are decoded."""

import pytest

from statefun import kafka_egress_message
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.egress.kafka_record import TYPENAME, InvalidKafkaRecordError, decode_kafka_record, headers_of


def test_a_record_of_the_sdk_is_decoded() -> None:
    message = kafka_egress_message("a/out", topic="t", value="v", key="k", headers=[("h", "1"), ("h", "2")])
    record = decode_kafka_record(message.payload())
    assert (record.topic, record.key, record.value_bytes) == ("t", "k", b"v")
    assert headers_of(record) == [("h", b"1"), ("h", b"2")]


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
