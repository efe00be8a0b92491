"""What every egress promises to the runtime."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest

from statefun_runtime.egress.file import FileEgress
from statefun_runtime.egress.http import HttpEgress
from statefun_runtime.egress.playground_record import TYPENAME
from statefun_runtime.egress.subscription import SubscriptionEgress
from statefun_runtime.interfaces import AdapterContext, Egress, Payload, RecordCounts
from statefun_runtime.module.egress_spec import FileEgressSpec, PlaygroundEgressSpec, SubscriptionEgressSpec
from tests.runtime.egress.outlet import MemoryOutbox, texts, typed


class Sink(Protocol):
    """Makes egresses, and plays whoever reads what they write."""

    counts: RecordCounts

    def egress(self) -> Egress: ...

    def records(self, *values: str) -> Sequence[Payload]: ...

    async def take(self, count: int, outbox: MemoryOutbox) -> list[str]:
        """The first `count` values that came out, as soon as they did."""


class FileSink:
    def __init__(self, directory: Path) -> None:
        self.counts = RecordCounts()
        self._path = directory / "out"

    def egress(self) -> Egress:
        return FileEgress(FileEgressSpec(id="test/out", path=self._path), AdapterContext(self.counts))

    def records(self, *values: str) -> Sequence[Payload]:
        return texts(*values)

    async def take(self, count: int, outbox: MemoryOutbox) -> list[str]:
        await outbox.until_released(outbox.batches[-1].epoch)
        lines = self._path.read_text().splitlines()
        assert len(lines) == count
        return lines


class HttpSink:
    """Its reader remembers what it has seen: delivery is at least once."""

    def __init__(self, directory: Path) -> None:
        self.counts = RecordCounts()
        self._started: HttpEgress | None = None
        self._seen: list[str] = []

    def egress(self) -> Egress:
        self._started = HttpEgress(PlaygroundEgressSpec(port=0), AdapterContext(self.counts))
        return self._started

    def records(self, *values: str) -> Sequence[Payload]:
        return [typed(TYPENAME, json.dumps({"topic": "t", "payload": value}).encode()) for value in values]

    async def take(self, count: int, outbox: MemoryOutbox) -> list[str]:
        assert self._started is not None
        async with aiohttp.ClientSession() as client:
            while len(self._seen) < count:
                async with client.get(f"http://127.0.0.1:{self._started.port}/t") as response:
                    assert response.status == 200
                    value = await response.text()
                if value not in self._seen:
                    self._seen.append(value)
        return self._seen


class SubscriptionSink:
    """Its reader begins at the oldest record each time: what was written is there, once."""

    def __init__(self, directory: Path) -> None:
        self.counts = RecordCounts()
        self._context = AdapterContext(self.counts, data_dir=directory, lineage="lineage")
        self._started: SubscriptionEgress | None = None

    def egress(self) -> Egress:
        self._started = SubscriptionEgress(SubscriptionEgressSpec(id="test/out", port=0), self._context)
        return self._started

    def records(self, *values: str) -> Sequence[Payload]:
        return texts(*values)

    async def take(self, count: int, outbox: MemoryOutbox) -> list[str]:
        assert self._started is not None
        await outbox.until_released(outbox.batches[-1].epoch)
        url = f"http://127.0.0.1:{self._started.port}/egress/test/out"
        async with aiohttp.ClientSession() as client, client.get(url) as response:
            lines = [json.loads(line) for line in (await response.text()).splitlines()]
        assert [line["cursor"] for line in lines] == [f"lineage-{number}" for number in range(1, count + 1)]
        return [line["value"] for line in lines]


SINKS: dict[str, Callable[[Path], Sink]] = {"file": FileSink, "http": HttpSink, "subscription": SubscriptionSink}


@pytest.fixture(params=SINKS, name="sink")
def each_sink(request: pytest.FixtureRequest, tmp_path: Path) -> Sink:
    return SINKS[request.param](tmp_path)


@asynccontextmanager
async def running(sink: Sink, outbox: MemoryOutbox) -> AsyncIterator[Egress]:
    egress = sink.egress()
    await outbox.start(egress)
    serving = asyncio.create_task(egress.run())
    try:
        yield egress
        assert not serving.done(), "an egress serves until it is cancelled"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await egress.stop()


async def test_records_come_out_in_order_and_are_released_when_they_are_out(sink: Sink) -> None:
    outbox = MemoryOutbox()
    async with running(sink, outbox) as egress:
        for values in (("1", "2"), ("3",)):
            egress.write(outbox.add(*sink.records(*values)))
        assert await sink.take(3, outbox) == ["1", "2", "3"]
        await outbox.until_released(2)
    assert sink.counts == RecordCounts(records=3)


async def test_write_reports_nothing_before_the_record_is_out(sink: Sink) -> None:
    outbox = MemoryOutbox()
    async with running(sink, outbox) as egress:
        egress.write(outbox.add(*sink.records("1")))
        assert 1 not in outbox.released_epochs
        await sink.take(1, outbox)
        await outbox.until_released(1)


async def test_an_epoch_without_records_is_released(sink: Sink) -> None:
    outbox = MemoryOutbox()
    async with running(sink, outbox) as egress:
        egress.write(outbox.add())
        await outbox.until_released(1)


async def test_after_a_crash_everything_comes_out_though_nothing_was_committed_as_released(sink: Sink) -> None:
    outbox = MemoryOutbox()
    async with running(sink, outbox) as egress:
        egress.write(outbox.add(*sink.records("1", "2")))
        egress.write(outbox.add(*sink.records("3")))
        await sink.take(3, outbox)
        await outbox.until_released(2)
    outbox.crash()
    async with running(sink, outbox) as egress:
        egress.write(outbox.add(*sink.records("4")))
        assert await sink.take(4, outbox) == ["1", "2", "3", "4"]


async def test_what_was_committed_as_released_does_not_come_again(sink: Sink) -> None:
    outbox = MemoryOutbox()
    async with running(sink, outbox) as egress:
        egress.write(outbox.add(*sink.records("1")))
        await sink.take(1, outbox)
        await outbox.until_released(1)
    outbox.commit()
    assert outbox.batches == []
    async with running(sink, outbox) as egress:
        egress.write(outbox.add(*sink.records("2")))
        assert await sink.take(2, outbox) == ["1", "2"]
    assert sink.counts == RecordCounts(records=2)


async def test_an_egress_can_be_stopped_twice_and_before_it_started(sink: Sink) -> None:
    await sink.egress().stop()
    egress = sink.egress()
    await egress.start(MemoryOutbox(), None)
    await egress.stop()
    await egress.stop()
