"""The Kafka egress against a real broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from statefun import kafka_egress_message
from statefun_runtime.egress.kafka import KafkaEgress
from statefun_runtime.egress.kafka_marker import marker_topic, transactional_id
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Payload, RecordCounts
from statefun_runtime.module.egress_spec import KafkaEgressSpec
from statefun_runtime.testing import MemoryOutbox
from tests.kafka.broker import Broker
from tests.kafka.rules import WRITE, deny, set_config
from tests.kafka.topics import Reader, create, delete

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(120)]

EXACTLY_ONCE = {"type": "exactly-once", "transactionTimeout": "30s"}


class Scene:
    """An outbox, and egresses that empty it into a topic of their own."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self.topic = topic
        self.counts = RecordCounts()
        self.outbox = MemoryOutbox()
        self._broker = broker
        create(broker.address, topic)

    def record(self, value: str) -> Payload:
        return kafka_egress_message("a/out", topic=self.topic, value=value, key="k").payload()

    def egress(self, semantic: dict[str, str]) -> KafkaEgress:
        spec = KafkaEgressSpec.model_validate(
            {"id": f"a/{self.topic}", "address": self._broker.address, "deliverySemantic": semantic}
        )
        return KafkaEgress(spec, AdapterContext(self.counts))

    @asynccontextmanager
    async def running(self, semantic: dict[str, str]) -> AsyncIterator[KafkaEgress]:
        """An egress that got what a restart hands over."""
        egress = self.egress(semantic)
        await egress.start(self.outbox, self.outbox.position)
        for batch in self.outbox.batches:
            egress.write(batch)
        try:
            yield egress
        finally:
            await egress.stop()

    def values(self, count: int) -> list[str]:
        reader = Reader(self._broker.address, self.topic)
        try:
            return [value for _, value in reader.read(count)]
        finally:
            reader.close()


@pytest.fixture
def scene(broker: Broker) -> Callable[[str], Scene]:
    return lambda topic: Scene(broker, topic)


@pytest.mark.parametrize(
    ("name", "semantic"),
    [("none", {"type": "none"}), ("at-least-once", {"type": "at-least-once"}), ("exactly-once", EXACTLY_ONCE)],
)
async def test_records_come_out_in_order(scene: Callable[[str], Scene], name: str, semantic: dict[str, str]) -> None:
    here = scene(f"order-{name}")
    async with here.running(semantic) as egress:
        for number in range(20):
            egress.write(here.outbox.add(here.record(f"{number}a"), here.record(f"{number}b")))
        await here.outbox.until_released(20)
    assert here.values(40) == [f"{number}{letter}" for number in range(20) for letter in "ab"]
    assert here.counts.records == 40


async def test_what_went_out_before_a_crash_is_not_sent_again(scene: Callable[[str], Scene]) -> None:
    here = scene("crash")
    async with here.running(EXACTLY_ONCE) as egress:
        egress.write(here.outbox.add(here.record("one")))
        await here.outbox.until_released(1)
    here.outbox.crash()
    assert len(here.outbox.batches) == 1
    here.outbox.batches.append(OutboxBatch("restored", 1, [here.record("two")]))
    async with here.running(EXACTLY_ONCE):
        await here.outbox.until_released(1)
    assert here.values(2) == ["one", "two"]


async def test_topic_key_and_headers_are_those_of_each_record_and_an_empty_key_is_none(
    scene: Callable[[str], Scene], broker: Broker
) -> None:
    here = scene("mixed-a")
    create(broker.address, "mixed-b")
    keyed = kafka_egress_message("a/out", topic="mixed-a", value="1", key="k", headers=[("trace", "7"), ("none", None)])
    bare = kafka_egress_message("a/out", topic="mixed-b", value="2", key="")
    async with here.running(EXACTLY_ONCE) as egress:
        egress.write(here.outbox.add(keyed.payload(), bare.payload()))
        await here.outbox.until_released(1)
    first, second = (first_record(broker.address, topic) for topic in ("mixed-a", "mixed-b"))
    assert (first.key(), first.value(), first.headers()) == (b"k", b"1", [("trace", b"7"), ("none", None)])
    assert (second.key(), second.value(), second.headers()) == (None, b"2", None)


def first_record(address: str, topic: str) -> Message:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "tests", "log_level": 0})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(30)
    finally:
        consumer.close()
    assert message is not None
    assert message.error() is None
    return message


@pytest.mark.parametrize(
    ("name", "semantic"), [("at-least-once", {"type": "at-least-once"}), ("exactly-once", EXACTLY_ONCE)]
)
async def test_records_wait_while_the_broker_is_away(
    scene: Callable[[str], Scene], broker: Broker, name: str, semantic: dict[str, str]
) -> None:
    here = scene(f"away-{name}")
    async with here.running(semantic) as egress:
        egress.write(here.outbox.add(here.record("before")))
        await here.outbox.until_released(1)
        await asyncio.to_thread(broker.kill)
        for value in ("meanwhile", "then"):
            egress.write(here.outbox.add(here.record(value)))
        await asyncio.to_thread(broker.start)
        await here.outbox.until_released(3)
    assert here.values(3) == ["before", "meanwhile", "then"]


async def test_a_second_writer_fences_the_first(scene: Callable[[str], Scene]) -> None:
    here = scene("fenced")
    async with here.running(EXACTLY_ONCE) as first:
        first.write(here.outbox.add(here.record("one")))
        await here.outbox.until_released(1)
        here.outbox.commit()
        async with here.running(EXACTLY_ONCE) as second:
            second.write(here.outbox.add(here.record("two")))
            await here.outbox.until_released(2)
            first.write(OutboxBatch("zombie", 3, [here.record("zombie")]))
            with pytest.raises(EgressError, match="another runtime writes under the transactional id"):
                await first.run()
    assert here.values(2) == ["one", "two"]


async def test_a_marker_that_is_gone_is_an_error(scene: Callable[[str], Scene], broker: Broker) -> None:
    here = scene("gone")
    async with here.running(EXACTLY_ONCE) as egress:
        egress.write(here.outbox.add(here.record("one")))
        await here.outbox.until_released(1)
    here.outbox.commit()
    topic = marker_topic(transactional_id("statefun", "a/gone"))
    delete(broker.address, topic)
    create(broker.address, topic)
    async with here.running(EXACTLY_ONCE) as egress:
        with pytest.raises(EgressError, match="holds no marker any more"):
            await egress.run()


GUARANTEED = pytest.mark.parametrize(
    ("name", "semantic"), [("at-least-once", {"type": "at-least-once"}), ("exactly-once", EXACTLY_ONCE)]
)


def reasons(scene: Scene) -> list[str]:
    return [rejected.reason for rejected in scene.outbox.rejected]


@GUARANTEED
async def test_a_record_that_is_too_large_or_none_is_a_dead_letter_and_the_others_go_out(
    scene: Callable[[str], Scene], name: str, semantic: dict[str, str]
) -> None:
    here = scene(f"refused-{name}")
    async with here.running(semantic) as egress:
        egress.write(here.outbox.add(here.record("one"), here.record("x" * 3_000_000), b"\xff", here.record("two")))
        await here.outbox.until_released(1)
    assert here.values(2) == ["one", "two"]
    assert (here.counts.records, here.counts.rejected) == (2, 2)
    too_large, none = reasons(here)
    assert "too large" in too_large
    assert none == "the record is no KafkaProducerRecord"


@GUARANTEED
async def test_of_records_that_were_refused_together_only_the_cause_is_a_dead_letter(
    scene: Callable[[str], Scene], broker: Broker, name: str, semantic: dict[str, str]
) -> None:
    here = scene(f"together-{name}")
    set_config(broker.address, here.topic, "max.message.bytes", "1000")
    async with here.running(semantic) as egress:
        small = [here.record(f"{number}" * 300) for number in range(6)]
        egress.write(here.outbox.add(*small[:3], here.record("x" * 2000), *small[3:]))
        await here.outbox.until_released(1)
    assert sorted(here.values(6)) == [f"{number}" * 300 for number in range(6)]
    assert (here.counts.records, here.counts.rejected) == (6, 1)
    assert "too large" in reasons(here)[0].lower()


@GUARANTEED
async def test_a_record_for_a_topic_that_is_missing_or_closed_is_a_dead_letter(
    scene: Callable[[str], Scene], broker: Broker, name: str, semantic: dict[str, str]
) -> None:
    here = scene(f"known-{name}")
    closed = f"closed-{name}"
    create(broker.address, closed)
    deny(broker.address, closed, WRITE)
    to_others = [
        kafka_egress_message("a/out", topic=topic, value="lost", key="k").payload()
        for topic in (f"missing-{name}", closed)
    ]
    async with here.running(semantic) as egress:
        egress.write(here.outbox.add(here.record("one"), *to_others, here.record("two")))
        await here.outbox.until_released(1)
    assert here.values(2) == ["one", "two"]
    assert (here.counts.records, here.counts.rejected) == (2, 2)
    assert {rejected.where for rejected in here.outbox.rejected} == {f"missing-{name}", closed}
    assert any("authoriz" in reason.lower() for reason in reasons(here))
