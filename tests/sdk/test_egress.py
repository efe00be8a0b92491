"""Records for Kafka, for Kinesis and for any other egress."""

import enum
import struct
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from statefun import (
    EgressBuilder,
    EgressMessage,
    GenericEgressBuilder,
    Int64Type,
    KafkaEgressBuilder,
    KinesisEgressBuilder,
    StringType,
    egress_message_builder,
    kafka_egress_message,
    kinesis_egress_message,
    make_json_type,
)
from statefun.protocol.egress_pb2 import KafkaProducerRecord, KinesisEgressRecord
from statefun.protocol.request_reply_pb2 import TypedValue

KAFKA = "type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord"
KINESIS = "type.googleapis.com/io.statefun.sdk.egress.KinesisEgressRecord"
EGRESS = "example/of/out"
LONG = st.integers(100, 20_000)
TEXTS = st.text(max_size=10) | LONG.map(lambda length: "é" * length)
VALUES = st.binary(max_size=10) | LONG.map(bytes)
HEADERS = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=3)


@given(topic=TEXTS.filter(bool), value=VALUES, key=st.none() | TEXTS, headers=st.none() | HEADERS)
@example(topic="t", value=b"", key="", headers=[])
@example(topic="t" * 127, value=bytes(127), key="k" * 128, headers=[("", None), ("", b"")])
@example(topic="t", value=bytes(2_097_152), key=None, headers=None)
def test_a_kafka_record_is_encoded_byte_for_byte_as_protobuf_does(
    topic: str, value: bytes, key: str | None, headers: list[tuple[str, bytes | None]] | None
) -> None:
    expected = KafkaProducerRecord(topic=topic, value_bytes=value, key=key or "")
    for name, content in headers or ():
        expected.headers.add(key=name, value=content or b"", has_value=content is not None)
    message = kafka_egress_message(EGRESS, topic, value, key=key, headers=headers)
    assert message.raw_value() == expected.SerializeToString()
    assert (
        message.payload() == TypedValue(typename=KAFKA, has_value=True, value=message.raw_value()).SerializeToString()
    )
    built = KafkaEgressBuilder(EGRESS, topic, value, key=key, headers=headers).to_egress_message()
    assert (built.typename, built.payload()) == (EGRESS, message.payload())


@given(stream=TEXTS.filter(bool), value=VALUES, key=TEXTS.filter(bool), hash_key=st.none() | TEXTS)
def test_a_kinesis_record_is_encoded_byte_for_byte_as_protobuf_does(
    stream: str, value: bytes, key: str, hash_key: str | None
) -> None:
    expected = KinesisEgressRecord(
        stream=stream, value_bytes=value, partition_key=key, explicit_hash_key=hash_key or ""
    )
    message = kinesis_egress_message(EGRESS, stream, value, key, explicit_hash_key=hash_key)
    assert message.raw_value() == expected.SerializeToString()
    assert message.value_typename() == KINESIS
    built = KinesisEgressBuilder(EGRESS, stream, value, key, explicit_hash_key=hash_key).to_egress_message()
    assert (built.typename, built.payload()) == (EGRESS, message.payload())


def kafka_value(value: Any, **more: Any) -> bytes:
    message = kafka_egress_message(EGRESS, "topic", value, **more)
    return KafkaProducerRecord.FromString(message.raw_value() or b"").value_bytes


def kinesis_value(value: Any, **more: Any) -> bytes:
    message = kinesis_egress_message(EGRESS, "stream", value, "key", **more)
    return KinesisEgressRecord.FromString(message.raw_value() or b"").value_bytes


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("é", "é".encode()),
        ("", b""),
        (b"\x00", b"\x00"),
        (bytearray(b"\x01"), b"\x01"),
        (258, b"\x00\x00\x01\x02"),
        (-1, b"\xff\xff\xff\xff"),
        (2**31 - 1, b"\x7f\xff\xff\xff"),
        (1.0, b"\x3f\xf0\0\0\0\0\0\0"),
    ],
)
def test_a_kafka_value_without_type_is_written_as_kafka_writes_it(value: Any, expected: bytes) -> None:
    assert kafka_value(value) == expected


@given(number=st.integers(-(2**31), 2**31 - 1), ratio=st.floats(allow_nan=False))
def test_a_number_without_type_is_big_endian(number: int, ratio: float) -> None:
    assert struct.unpack(">i", kafka_value(number)) == (number,)
    assert struct.unpack(">d", kafka_value(ratio)) == (ratio,)


def test_subclasses_of_the_plain_values_are_written_as_these() -> None:
    class Name(str):
        __slots__ = ()

    class Code(enum.IntEnum):
        GONE = 410

    assert (kafka_value(Name("é")), kafka_value(Code.GONE)) == ("é".encode(), struct.pack(">i", 410))
    assert kinesis_value(Name("é")) == "é".encode()


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, 2**200])
def test_a_kafka_integer_of_more_than_4_bytes_is_a_value_error_that_names_value_type(value: int) -> None:
    with pytest.raises(ValueError, match=f"{value}.*4 bytes.*value_type"):
        kafka_egress_message(EGRESS, "topic", value)
    assert kafka_value(5, value_type=Int64Type) == Int64Type.serialize(5)


@pytest.mark.parametrize("value", [True, False, object(), [1], {"a": 1}])
def test_a_kafka_value_that_says_no_type_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="give value_type"):
        kafka_egress_message(EGRESS, "topic", value)


@pytest.mark.parametrize(
    ("value", "expected"), [("é", "é".encode()), (b"\x00", b"\x00"), (bytearray(b"\x01"), b"\x01")]
)
def test_a_kinesis_value_without_type_is_text_or_bytes(value: Any, expected: bytes) -> None:
    assert kinesis_value(value) == expected


@pytest.mark.parametrize("value", [3, 0.5, True, object(), [1]])
def test_a_kinesis_value_that_says_no_type_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="give value_type"):
        kinesis_egress_message(EGRESS, "stream", value, "key")


def test_a_value_with_a_type_is_written_as_the_type_writes_it() -> None:
    tpe = make_json_type("example/json")
    for value in ({"a": ["Zoë"]}, [True], 3):
        assert kafka_value(value, value_type=tpe) == tpe.serialize(value)
        assert kinesis_value(value, value_type=tpe) == tpe.serialize(value)


@pytest.mark.parametrize("value_type", [None, StringType])
def test_no_value_is_refused(value_type: Any) -> None:
    with pytest.raises(ValueError, match=r"missing|None"):
        kafka_egress_message(EGRESS, "topic", None, value_type)
    with pytest.raises(ValueError, match=r"missing|None"):
        kinesis_egress_message(EGRESS, "stream", None, "key", value_type)
    with pytest.raises(ValueError, match="None"):
        egress_message_builder(EGRESS, None, StringType)  # type: ignore[misc]


def test_a_kafka_record_needs_an_egress_and_a_topic() -> None:
    for egress, topic, reason in (("", "topic", "typename"), ("out", "topic", "no '/'"), (EGRESS, "", "topic")):
        with pytest.raises(ValueError, match=reason):
            kafka_egress_message(egress, topic, "v")
        with pytest.raises(ValueError, match=reason):
            KafkaEgressBuilder(egress, topic, "v").to_egress_message()


def test_a_kinesis_record_needs_a_stream_and_a_partition_key() -> None:
    for egress, stream, key, reason in (
        ("", "stream", "key", "typename"),
        (EGRESS, "", "key", "stream"),
        (EGRESS, "stream", "", "partition key"),
        (EGRESS, "stream", None, "partition key"),
    ):
        with pytest.raises(ValueError, match=reason):
            kinesis_egress_message(egress, stream, "v", key)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=reason):
            KinesisEgressBuilder(egress, stream, "v", key).to_egress_message()  # type: ignore[arg-type]


def test_a_generic_egress_needs_a_type() -> None:
    message = egress_message_builder(EGRESS, "v", StringType, headers={"h": b"1"})
    assert (message.typename, message.as_type(StringType)) == (EGRESS, "v")
    assert [tuple(header) for header in message.headers] == [("h", b"1")]
    built = GenericEgressBuilder(EGRESS, "v", StringType, headers={"h": b"1"}).to_egress_message()
    assert (built.typename, built.payload()) == (message.typename, message.payload())
    with pytest.raises(ValueError, match="value_type"):
        egress_message_builder(EGRESS, "v", None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="typename"):
        egress_message_builder("", "v", StringType)


def test_every_builder_is_an_egress_builder() -> None:
    for builder in (
        KafkaEgressBuilder(EGRESS, "topic", "v"),
        KinesisEgressBuilder(EGRESS, "stream", "v", "key"),
        GenericEgressBuilder(EGRESS, "v", StringType),
    ):
        assert isinstance(builder, EgressBuilder)
    assert not isinstance(kafka_egress_message(EGRESS, "topic", "v"), EgressBuilder)


def test_an_egress_message_needs_a_typename_and_a_value() -> None:
    value = TypedValue(typename="example/value", has_value=True)
    assert EgressMessage(EGRESS, value).typed_value is value
    for egress, given_value in (("", value), (EGRESS, None)):
        with pytest.raises(ValueError, match="missing"):
            EgressMessage(egress, given_value)  # type: ignore[arg-type]
