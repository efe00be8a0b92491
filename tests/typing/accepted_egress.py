"""Egress records take what becomes bytes by itself, or a value and its type."""

from dataclasses import dataclass
from typing import Any, assert_type

from statefun import (
    Context,
    EgressBuilder,
    EgressMessage,
    GenericEgressBuilder,
    IntType,
    KafkaEgressBuilder,
    KinesisEgressBuilder,
    Message,
    StringType,
    Type,
    TypeName,
    egress_message_builder,
    kafka_egress_message,
    kinesis_egress_message,
    make_json_type,
)

KAFKA = TypeName.parse("example/kafka")
KINESIS = "example/kinesis"


@dataclass
class Order:
    number: int


ORDER_TYPE = make_json_type("example/order", Order)
JSON_TYPE = make_json_type("example/json")


def kafka(unknown: Any) -> None:
    assert_type(kafka_egress_message(KAFKA, "topic", "text"), EgressMessage)
    kafka_egress_message(KAFKA, "topic", b"bytes", key="key")
    kafka_egress_message(KAFKA, "topic", bytearray(), None, "key", {"header": b"value"})
    kafka_egress_message(KAFKA, "topic", 3)
    kafka_egress_message(KAFKA, "topic", 0.5, headers=[("header", None), ("header", "text")])
    kafka_egress_message(KAFKA, "topic", Order(1), ORDER_TYPE)
    kafka_egress_message(KAFKA, "topic", {"any": ["json"]}, value_type=JSON_TYPE)
    kafka_egress_message(typename="example/kafka", topic="topic", value=3, value_type=IntType, key="key")
    kafka_egress_message(KAFKA, "topic", unknown)


def kafka_with_a_type_or_none(value_type: Type[int] | None) -> None:
    kafka_egress_message(KAFKA, "topic", 3, value_type)


def kinesis(unknown: Any) -> None:
    assert_type(kinesis_egress_message(KINESIS, "stream", "text", "key"), EgressMessage)
    kinesis_egress_message(KINESIS, "stream", b"bytes", "key", None, "123")
    kinesis_egress_message(KINESIS, stream="stream", value=bytearray(), partition_key="key")
    kinesis_egress_message(KINESIS, "stream", Order(1), "key", ORDER_TYPE)
    kinesis_egress_message(KINESIS, "stream", [1], "key", value_type=JSON_TYPE, explicit_hash_key="123")
    kinesis_egress_message(KINESIS, "stream", unknown, "key")


def builders(context: Context, message: Message) -> None:
    context.send_egress(KafkaEgressBuilder(KAFKA, "topic", "text"))
    context.send_egress(KafkaEgressBuilder(KAFKA, "topic", Order(1), ORDER_TYPE, key="key"))
    context.send_egress(KinesisEgressBuilder(KINESIS, "stream", b"bytes", "key", explicit_hash_key="123"))
    context.send_egress(KinesisEgressBuilder(KINESIS, "stream", 3, "key", IntType))
    context.send_egress(GenericEgressBuilder("example/egress", "text", StringType))
    context.send_egress(egress_message_builder("example/egress", Order(1), ORDER_TYPE, headers={"header": "text"}))
    builder: EgressBuilder = KafkaEgressBuilder(KAFKA, "topic", 3)
    assert_type(builder.to_egress_message(), EgressMessage)
