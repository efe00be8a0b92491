"""What cannot become the value of a record is refused before it runs."""

from dataclasses import dataclass

from statefun import (
    BoolType,
    Context,
    GenericEgressBuilder,
    IntType,
    KafkaEgressBuilder,
    KinesisEgressBuilder,
    StringType,
    egress_message_builder,
    kafka_egress_message,
    kinesis_egress_message,
    make_json_type,
)


@dataclass
class Order:
    number: int


ORDER_TYPE = make_json_type("example/order", Order)


def kafka() -> None:
    kafka_egress_message("example/kafka", "topic", None)  # refused
    kafka_egress_message("example/kafka", "topic", [1])  # refused
    kafka_egress_message("example/kafka", "topic", Order(1))  # refused
    kafka_egress_message("example/kafka", "topic", "text", IntType)  # refused
    kafka_egress_message("example/kafka", "topic", {"number": 1}, ORDER_TYPE)  # refused
    kafka_egress_message("example/kafka", "topic", 3, value_type="io.statefun.types/int")  # refused
    kafka_egress_message("example/kafka", "topic", "text", key=b"key")  # refused
    kafka_egress_message("example/kafka", "topic", "text", headers={"header": 1})  # refused
    kafka_egress_message("example/kafka", None, "text")  # refused


def kinesis() -> None:
    kinesis_egress_message("example/kinesis", "stream", None, "key")  # refused
    kinesis_egress_message("example/kinesis", "stream", 3, "key")  # refused
    kinesis_egress_message("example/kinesis", "stream", 0.5, "key")  # refused
    kinesis_egress_message("example/kinesis", "stream", Order(1), "key")  # refused
    kinesis_egress_message("example/kinesis", "stream", 3, "key", StringType)  # refused
    kinesis_egress_message("example/kinesis", "stream", "text")  # refused
    kinesis_egress_message("example/kinesis", "stream", "text", partition_key=None)  # refused
    kinesis_egress_message("example/kinesis", "stream", "text", "key", explicit_hash_key=123)  # refused


def builders(context: Context) -> None:
    KafkaEgressBuilder("example/kafka", "topic", "text", IntType)  # refused
    KafkaEgressBuilder("example/kafka", "topic", {"number": 1}, value_type=ORDER_TYPE)  # refused
    KinesisEgressBuilder("example/kinesis", "stream", 3, "key", StringType)  # refused
    KinesisEgressBuilder("example/kinesis", "stream", "text")  # refused
    GenericEgressBuilder("example/egress", "text", BoolType)  # refused
    GenericEgressBuilder("example/egress", "text")  # refused
    egress_message_builder("example/egress", "text")  # refused
    egress_message_builder("example/egress", Order(1), StringType)  # refused
    context.send_egress(kafka_egress_message)  # refused
    context.send_egress(Order(1))  # refused
