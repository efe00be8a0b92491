"""What the ingress and the egress say of their connection while a real broker is away, lacks a topic or refuses."""

import asyncio
from collections.abc import Callable, Collection

import pytest

from statefun import kafka_egress_message
from statefun_runtime.connection import Connection
from statefun_runtime.egress.kafka import KafkaEgress
from statefun_runtime.egress.kafka_marker import transactional_id
from statefun_runtime.ingress.kafka import KafkaIngress
from statefun_runtime.interfaces import AdapterContext, RecordCounts
from statefun_runtime.module.egress_spec import KafkaEgressSpec
from statefun_runtime.module.ingress_spec import KafkaIngressSpec
from statefun_runtime.testing import MemoryInlet, MemoryOutbox
from tests.e2e.command import wait_until
from tests.kafka.broker import Broker
from tests.kafka.rules import DESCRIBE, READ, TRANSACTIONAL_ID, WRITE, allow, deny, forget_rules
from tests.kafka.test_ingress import running, until
from tests.kafka.topics import Reader, Writer, create

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(120)]


class AskedInlet(MemoryInlet):
    """An inlet that can be paused when nothing is on its way to it."""

    def __init__(self) -> None:
        super().__init__(commits=True)
        self._asked = asyncio.Event()

    async def room(self, typenames: Collection[str] = ()) -> None:
        self._asked.set()
        await super().room(typenames)

    async def pause(self) -> None:
        """Return once the ingress waits for room."""
        self.open.clear()
        self._asked.clear()
        await self._asked.wait()


async def until_true(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what)


async def until_reason(connection: Connection, what: str, words: str) -> None:
    def is_told() -> bool:
        problem = connection.problems.get(what)
        return problem is not None and words in problem.reason

    await until_true(is_told, f"the reason {words!r}")
    assert connection.state == "trying"
    assert connection.errors > 0


async def until_connected(connection: Connection) -> None:
    await until_true(lambda: connection.state == "connected", "the connection")
    assert connection.problems == {}


def reading(broker: Broker, counts: RecordCounts, *topics: str) -> KafkaIngress:
    routes = [{"topic": topic, "valueType": "a/text", "targets": ["a/one"]} for topic in topics]
    spec = {"id": "a/in", "address": broker.address, "topics": routes, "startupPosition": {"type": "earliest"}}
    return KafkaIngress(KafkaIngressSpec.model_validate(spec), AdapterContext(counts))


def writing(broker: Broker, name: str, counts: RecordCounts, semantic: str = "exactly-once") -> KafkaEgress:
    spec = {"id": f"a/{name}", "address": broker.address, "deliverySemantic": {"type": semantic}}
    if semantic == "exactly-once":
        spec["deliverySemantic"] = {"type": semantic, "transactionTimeout": "10s"}
    return KafkaEgress(KafkaEgressSpec.model_validate(spec), AdapterContext(counts))


def values(broker: Broker, topic: str, count: int) -> list[str]:
    reader = Reader(broker.address, topic)
    try:
        return [value for _, value in reader.read(count)]
    finally:
        reader.close()


async def test_an_ingress_tells_that_no_broker_answers_and_that_one_is_back(broker: Broker) -> None:
    create(broker.address, "told-away")
    counts, inlet = RecordCounts(), MemoryInlet(commits=True)
    async with running(reading(broker, counts, "told-away"), inlet):
        await until_connected(counts.connection)
        await asyncio.to_thread(broker.kill)
        try:
            await until_reason(counts.connection, "brokers", "broker")
        finally:
            await asyncio.to_thread(broker.start)
        await until_connected(counts.connection)
        assert "reached" in counts.connection.last_error
        await asyncio.to_thread(Writer(broker.address).write, "told-away", [(b"k", b"1")])
        assert await until(inlet, 1) == ["1"]


async def test_a_missing_topic_is_told_while_another_one_is_read(broker: Broker) -> None:
    create(broker.address, "told-there")
    counts, inlet = RecordCounts(), MemoryInlet(commits=True)
    async with running(reading(broker, counts, "told-missing", "told-there"), inlet):
        await until_reason(counts.connection, "topic told-missing", "the topic does not exist")
        assert list(counts.connection.problems) == ["topic told-missing"]
        writer = Writer(broker.address)
        await asyncio.to_thread(writer.write, "told-there", [(b"k", b"1")])
        assert await until(inlet, 1) == ["1"]
        create(broker.address, "told-missing")
        await until_connected(counts.connection)
        await asyncio.to_thread(writer.write, "told-missing", [(b"k", b"2")])
        assert await until(inlet, 2) == ["1", "2"]


@pytest.mark.parametrize("may_describe", [False, True])
async def test_a_topic_that_must_not_be_read_is_told_while_another_one_is_read(
    broker: Broker, *, may_describe: bool
) -> None:
    closed, free = f"told-closed-{may_describe}", f"told-free-{may_describe}"
    create(broker.address, closed, free)
    deny(broker.address, closed, READ)
    if may_describe:
        allow(broker.address, closed, DESCRIBE)
    writer = Writer(broker.address)
    writer.write(free, [(b"k", b"1")])
    counts, inlet = RecordCounts(), MemoryInlet(commits=True)
    async with running(reading(broker, counts, closed, free), inlet):
        what = f"records of {closed}" if may_describe else f"topic {closed}"
        await until_reason(counts.connection, what, "this user may not use the topic")
        assert await until(inlet, 1) == ["1"]
        forget_rules(broker.address, closed)
        await until_connected(counts.connection)
        await asyncio.to_thread(writer.write, closed, [(b"k", b"2")])
        assert await until(inlet, 2) == ["1", "2"]


async def test_the_lag_is_what_was_not_taken_yet(broker: Broker) -> None:
    create(broker.address, "told-lag")
    writer = Writer(broker.address)
    writer.write("told-lag", [(b"k", b"0")])
    counts, inlet = RecordCounts(), AskedInlet()
    async with running(reading(broker, counts, "told-lag"), inlet):
        await until_true(lambda: counts.connection.lag == {"told-lag/0": 0}, "the end of the topic")
        await inlet.pause()
        await asyncio.to_thread(writer.write, "told-lag", [(b"k", b"%d" % number) for number in range(2000)])
        await until_true(lambda: counts.connection.lag == {"told-lag/0": 2000}, "the lag")
        inlet.open.set()
        await until(inlet, 2001)
        await until_true(lambda: counts.connection.lag == {"told-lag/0": 0}, "the end of the topic")


@pytest.mark.parametrize("semantic", ["at-least-once", "exactly-once"])
async def test_an_egress_with_nothing_to_send_tells_that_no_broker_answers_and_that_one_is_back(
    broker: Broker, semantic: str
) -> None:
    name = f"told-idle-{semantic}"
    create(broker.address, name)
    counts, outbox = RecordCounts(), MemoryOutbox()
    egress = writing(broker, name, counts, semantic)
    await egress.start(outbox, None)
    try:
        await until_connected(counts.connection)
        await asyncio.to_thread(broker.kill)
        try:
            await until_reason(counts.connection, "brokers", "broker")
        finally:
            await asyncio.to_thread(broker.start)
        await until_connected(counts.connection)
        egress.write(outbox.add(kafka_egress_message("a/out", topic=name, value="1").payload()))
        await outbox.until_released(1)
    finally:
        await egress.stop()
    assert values(broker, name, 1) == ["1"]


async def test_an_egress_that_may_not_use_its_transactional_id_tells_so_and_sends_once_it_may(broker: Broker) -> None:
    create(broker.address, "told-id")
    own = transactional_id("statefun", "a/told-id")
    deny(broker.address, own, WRITE, TRANSACTIONAL_ID)
    counts, outbox = RecordCounts(), MemoryOutbox()
    egress = writing(broker, "told-id", counts)
    await egress.start(outbox, None)
    try:
        egress.write(outbox.add(kafka_egress_message("a/out", topic="told-id", value="1").payload()))
        await until_reason(counts.connection, "brokers", "this user may not use the transactional id")
        forget_rules(broker.address, own, TRANSACTIONAL_ID)
        await outbox.until_released(1)
        assert counts.connection.state == "connected"
    finally:
        await egress.stop()
    assert values(broker, "told-id", 1) == ["1"]
