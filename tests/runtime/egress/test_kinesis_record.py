"""Payloads of the Kinesis egress are decoded."""

import pytest

from statefun import kinesis_egress_message
from statefun.protocol.egress_pb2 import KinesisEgressRecord
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.egress.kinesis_record import TYPENAME, InvalidKinesisRecordError, decode_kinesis_record
from statefun_runtime.kinesis.client import PutRecord


def encoded(stream: str = "", partition_key: str = "") -> bytes:
    value = KinesisEgressRecord(stream=stream, partition_key=partition_key).SerializeToString()
    return TypedValue(typename=TYPENAME, has_value=True, value=value).SerializeToString()


def test_a_record_of_the_sdk_is_decoded() -> None:
    message = kinesis_egress_message("a/out", "s", "v", "k", explicit_hash_key="7")
    assert decode_kinesis_record(message.payload()) == ("s", PutRecord("k", b"v", "7"))


def test_an_empty_hash_key_is_none() -> None:
    assert decode_kinesis_record(encoded(stream="s", partition_key="k")) == ("s", PutRecord("k", b"", None))


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff", "is no KinesisEgressRecord"),
        (TypedValue(typename=TYPENAME, has_value=True, value=b"\xff").SerializeToString(), "is no KinesisEgressRecord"),
        (TypedValue(typename="a/b", has_value=True).SerializeToString(), "is of type 'a/b'"),
        (encoded(partition_key="k"), "names no stream"),
        (encoded(stream="s"), "has no partition key"),
    ],
)
def test_what_is_no_record_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(InvalidKinesisRecordError, match=reason):
        decode_kinesis_record(payload)
