"""The Kafka ingress against a real broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from confluent_kafka import Producer

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.errors import IngressError
from statefun_runtime.ingress.kafka import KafkaIngress
from statefun_runtime.interfaces import AdapterContext, RecordCounts
from statefun_runtime.module.ingress_spec import KafkaIngressSpec
from statefun_runtime.testing import MemoryInlet
from tests.kafka.broker import Broker
from tests.kafka.topics import Writer, add_partitions, committed, create

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(120)]


def ingress(broker: Broker, topic: str, counts: RecordCounts, **more: object) -> KafkaIngress:
    topics = [{"topic": topic, "valueType": "a/text", "targets": ["a/one"]}]
    given = {"id": "a/in", "address": broker.address, "topics": topics, "startupPosition": {"type": "earliest"}}
    said = {name: value for name, value in {**given, **more}.items() if value is not None}
    return KafkaIngress(KafkaIngressSpec.model_validate(said), AdapterContext(counts))


@asynccontextmanager
async def running(source: KafkaIngress, inlet: MemoryInlet) -> AsyncIterator[asyncio.Task[None]]:
    await source.start(inlet, dict(inlet.positions))
    task = asyncio.create_task(source.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await source.stop()


async def until(inlet: MemoryInlet, count: int) -> list[str]:
    """The values of all messages, once there are `count`."""
    async with asyncio.timeout(40):
        while len(inlet.arrivals) < count:
            inlet.accepted.clear()
            await inlet.accepted.wait()
    return [TypedValue.FromString(arrival.payload).value.decode() for arrival in inlet.arrivals]


async def until_begun(inlet: MemoryInlet) -> None:
    async with asyncio.timeout(40):
        await inlet.accepted.wait()


def with_header(address: str, topic: str) -> None:
    """Write the record 3, with a header."""
    producer = Producer({"bootstrap.servers": address, "log_level": 0})
    producer.produce(topic, b"3", b"k", headers=[("trace", b"7")])
    assert producer.flush(30) == 0


async def test_a_restart_goes_on_behind_the_last_durable_record(broker: Broker) -> None:
    create(broker.address, "restart")
    writer, inlet, counts = Writer(broker.address), MemoryInlet(commits=True), RecordCounts()
    writer.write("restart", [(b"k", b"1"), (b"k", b"2")])
    async with running(ingress(broker, "restart", counts), inlet):
        assert await until(inlet, 2) == ["1", "2"]
    writer.write("restart", [(b"k", b"3")])
    async with running(ingress(broker, "restart", counts), inlet):
        assert await until(inlet, 3) == ["1", "2", "3"]
    assert inlet.positions == {"restart/0": b"3"}
    assert counts.records == 3


async def test_latest_is_kept_from_the_very_first_start(broker: Broker) -> None:
    create(broker.address, "latest")
    writer, inlet, counts = Writer(broker.address), MemoryInlet(commits=True), RecordCounts()
    writer.write("latest", [(b"k", b"before")])
    async with running(ingress(broker, "latest", counts, startupPosition={"type": "latest"}), inlet):
        await until_begun(inlet)
    writer.write("latest", [(b"k", b"while it was down")])
    async with running(ingress(broker, "latest", counts, startupPosition={"type": "latest"}), inlet):
        assert await until(inlet, 1) == ["while it was down"]


async def test_invalid_records_are_skipped_when_said(broker: Broker) -> None:
    create(broker.address, "skip")
    inlet, counts = MemoryInlet(commits=True), RecordCounts()
    Writer(broker.address).write("skip", [(None, b"1"), (b"k", None), (b"\xff", b"2"), (b"k", b"3")])
    async with running(ingress(broker, "skip", counts, invalidRecordHandling={"type": "skip"}), inlet):
        assert await until(inlet, 1) == ["3"]
    assert (counts.records, counts.rejected) == (1, 3)


async def test_invalid_records_become_dead_letters_and_headers_are_forwarded(broker: Broker) -> None:
    create(broker.address, "letters")
    inlet, counts = MemoryInlet(commits=True), RecordCounts()
    Writer(broker.address).write("letters", [(None, b"1"), (b"k", None), (b"\xff", b"2")])
    with_header(broker.address, "letters")
    async with running(ingress(broker, "letters", counts, forwardHeaders="true"), inlet):
        assert await until(inlet, 1) == ["3"]
    assert [(rejected.where, rejected.reason.rpartition(" ")[2]) for rejected in inlet.rejected] == [
        ("letters/0@0", "id"),
        ("letters/0@1", "value"),
        ("letters/0@2", "UTF-8"),
    ]
    assert (counts.records, counts.rejected) == (1, 3)
    [header] = TypedValue.FromString(inlet.arrivals[0].payload).metadata
    assert (header.key, header.value) == ("trace", b"7")


async def test_an_invalid_record_ends_the_ingress_when_said(broker: Broker) -> None:
    create(broker.address, "invalid")
    inlet = MemoryInlet(commits=True)
    Writer(broker.address).write("invalid", [(None, b"1")])
    source = ingress(broker, "invalid", RecordCounts(), invalidRecordHandling={"type": "fail"})
    async with running(source, inlet) as task:
        with pytest.raises(IngressError, match=r"the record invalid/0@0 has no key"):
            await task


async def test_a_topic_that_comes_later_and_its_new_partitions_are_read(broker: Broker) -> None:
    writer, inlet = Writer(broker.address), MemoryInlet(commits=True)
    async with running(ingress(broker, "later", RecordCounts(), startupPosition={"type": "latest"}), inlet):
        create(broker.address, "later")
        await until_begun(inlet)
        add_partitions(broker.address, "later", 2)
        writer.write("later", [(b"k", b"1")], partition=1)
        assert await until(inlet, 1) == ["1"]


async def test_durable_offsets_are_told_to_the_group(broker: Broker) -> None:
    create(broker.address, "group")
    inlet = MemoryInlet(commits=True)
    Writer(broker.address).write("group", [(b"k", b"1"), (b"k", b"2")])
    async with running(ingress(broker, "group", RecordCounts(), consumerGroupId="lag"), inlet):
        await until(inlet, 2)
        async with asyncio.timeout(40):
            while await asyncio.to_thread(committed, broker.address, "lag", "group") != 2:
                pass


async def test_without_a_start_position_reading_begins_where_the_group_stopped(broker: Broker) -> None:
    create(broker.address, "moved")
    writer, earlier, later = Writer(broker.address), MemoryInlet(commits=True), MemoryInlet(commits=True)
    writer.write("moved", [(b"k", b"1"), (b"k", b"2")])
    async with running(ingress(broker, "moved", RecordCounts(), consumerGroupId="mover"), earlier):
        assert await until(earlier, 2) == ["1", "2"]
        async with asyncio.timeout(40):
            while await asyncio.to_thread(committed, broker.address, "mover", "moved") != 2:
                pass
    writer.write("moved", [(b"k", b"3")])
    unsaid = ingress(broker, "moved", RecordCounts(), consumerGroupId="mover", startupPosition=None)
    async with running(unsaid, later):
        assert await until(later, 1) == ["3"]


async def test_reading_goes_on_when_the_broker_is_back(broker: Broker) -> None:
    create(broker.address, "away")
    inlet = MemoryInlet(commits=True)
    Writer(broker.address).write("away", [(b"k", b"1")])
    async with running(ingress(broker, "away", RecordCounts()), inlet):
        await until(inlet, 1)
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        await asyncio.to_thread(Writer(broker.address).write, "away", [(b"k", b"2")])
        assert await until(inlet, 2) == ["1", "2"]
