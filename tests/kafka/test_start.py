"""Where reading begins, what of a topic is read, and to whom it goes, with a real broker."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from statefun_runtime.ingress.kafka import KafkaIngress
from statefun_runtime.interfaces import AdapterContext, RecordCounts
from statefun_runtime.module.ingress_spec import KafkaIngressSpec
from statefun_runtime.testing import MemoryInlet
from tests.e2e.command import wait_until
from tests.kafka.broker import Broker
from tests.kafka.test_ingress import running, until
from tests.kafka.topics import Writer, create

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(120)]

SECONDS = 30.0


def write_dated(address: str, topic: str, values: str, first: datetime) -> None:
    """Write records that were made a second apart."""
    producer = Producer({"bootstrap.servers": address, "log_level": 0})
    for number, value in enumerate(values):
        producer.produce(topic, value.encode(), b"k", timestamp=int(first.timestamp() + number) * 1000)
    assert producer.flush(SECONDS) == 0


def commit(address: str, group: str, topic: str, offset: int) -> None:
    consumer = Consumer({"bootstrap.servers": address, "group.id": group, "log_level": 0})

    def is_committed() -> bool:
        try:
            consumer.commit(offsets=[TopicPartition(topic, 0, offset)], asynchronous=False)
        except KafkaException:
            # The coordinator of a broker's first group is not there at once.
            return False
        return True

    try:
        wait_until(is_committed, "the commit of an offset")
    finally:
        consumer.close()


def ingress(broker: Broker, *topics: dict[str, object], **more: object) -> KafkaIngress:
    given = {"id": "a/in", "address": broker.address, "topics": topics}
    return KafkaIngress(KafkaIngressSpec.model_validate({**given, **more}), AdapterContext(RecordCounts()))


def to_one(topic: str) -> dict[str, object]:
    return {"topic": topic, "valueType": "a/text", "targets": ["a/one"]}


@pytest.mark.parametrize(
    ("name", "startup", "wanted"),
    [
        ("earliest", {"type": "earliest"}, "0123"),
        ("offsets", {"type": "specific-offsets", "offsets": [{"start-offsets/0": 3}]}, "3"),
        ("date", {"type": "date", "date": "filled in"}, "23"),
        ("group", {"type": "group-offsets"}, "123"),
    ],
)
async def test_reading_begins_where_the_module_says(
    broker: Broker, name: str, startup: dict[str, object], wanted: str
) -> None:
    topic = f"start-{name}"
    create(broker.address, topic)
    # Kafka deletes records of long ago.
    first = datetime.now(UTC) - timedelta(minutes=1)
    write_dated(broker.address, topic, "0123", first)
    if "date" in startup:
        startup = {**startup, "date": f"{first + timedelta(seconds=1):%Y-%m-%d %H:%M:%S}.500 +0000"}
    commit(broker.address, topic, topic, 1)
    inlet = MemoryInlet(commits=True)
    async with running(ingress(broker, to_one(topic), startupPosition=startup, consumerGroupId=topic), inlet):
        assert await until(inlet, len(wanted)) == list(wanted)


@pytest.mark.parametrize(("reset", "wanted"), [("earliest", "01"), ("latest", "1")])
async def test_a_group_without_offsets_begins_where_the_reset_position_says(
    broker: Broker, reset: str, wanted: str
) -> None:
    topic = f"reset-{reset}"
    create(broker.address, topic)
    writer, inlet = Writer(broker.address), MemoryInlet(commits=True)
    writer.write(topic, [(b"k", b"0")])
    group = {"startupPosition": {"type": "group-offsets"}, "consumerGroupId": topic}
    source = ingress(broker, to_one(topic), autoOffsetResetPosition=reset, **group)
    async with running(source, inlet):
        async with asyncio.timeout(SECONDS):
            await inlet.accepted.wait()
        await asyncio.to_thread(writer.write, topic, [(b"k", b"1")])
        assert await until(inlet, len(wanted)) == list(wanted)


@pytest.mark.parametrize(("level", "wanted"), [(None, ["kept", "last"]), ("read_uncommitted", ["no", "kept", "last"])])
async def test_only_committed_records_are_read_unless_the_module_says_otherwise(
    broker: Broker, level: str | None, wanted: list[str]
) -> None:
    topic = f"level-{level}"
    create(broker.address, topic)
    producer = Producer({"bootstrap.servers": broker.address, "transactional.id": topic, "log_level": 0})
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    producer.produce(topic, b"no", b"k")
    producer.flush(SECONDS)
    producer.abort_transaction(SECONDS)
    producer.begin_transaction()
    producer.produce(topic, b"kept", b"k")
    producer.commit_transaction(SECONDS)
    Writer(broker.address).write(topic, [(b"k", b"last")])
    inlet = MemoryInlet(commits=True)
    properties = {"properties": [{"isolation.level": level}]} if level else {}
    source = ingress(broker, to_one(topic), startupPosition={"type": "earliest"}, **properties)
    async with running(source, inlet):
        assert await until(inlet, len(wanted)) == wanted


async def test_every_target_of_every_topic_gets_its_messages(broker: Broker) -> None:
    create(broker.address, "targets-a", "targets-b")
    writer, inlet = Writer(broker.address), MemoryInlet(commits=True)
    writer.write("targets-a", [(b"x", b"1")])
    writer.write("targets-b", [(b"y", b"2")])
    both: list[dict[str, object]] = [
        {"topic": "targets-a", "valueType": "a/text", "targets": ["a/one", "a/two"]},
        {"topic": "targets-b", "valueType": "a/text", "targets": ["a/three"]},
    ]
    async with running(ingress(broker, *both, startupPosition={"type": "earliest"}), inlet):
        await until(inlet, 3)
    assert sorted(arrival.target for arrival in inlet.arrivals) == [("a/one", "x"), ("a/three", "y"), ("a/two", "x")]
