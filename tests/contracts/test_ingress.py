"""What every ingress promises to the runtime."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import aiohttp
import pytest

from statefun_runtime.ingress.file import FileIngress
from statefun_runtime.ingress.http import HttpIngress
from statefun_runtime.interfaces import AdapterContext, Ingress, RecordCounts
from statefun_runtime.module.ingress_spec import FileIngressSpec, PlaygroundIngressSpec
from tests.runtime.ingress.inlet import MemoryInlet

IDS = [f"id-{number}" for number in range(5)]


class Source(Protocol):
    """Makes ingresses, and plays whoever hands them messages and wants each to get through."""

    counts: RecordCounts

    def ingress(self) -> Ingress: ...

    async def feed(self, ids: Sequence[str]) -> None:
        """Hand in a message for each id, again if there was no acknowledgement; return when all are acknowledged."""


class FileSource:
    def __init__(self, directory: Path) -> None:
        self.counts = RecordCounts()
        self._path = directory / "in.jsonl"
        self._path.write_text("".join(json.dumps({"id": target_id}) + "\n" for target_id in IDS))

    def ingress(self) -> Ingress:
        spec = FileIngressSpec(id="test/in", path=self._path, format="json-lines", targets=("test/a",), key="id")
        return FileIngress(spec, AdapterContext(self.counts))

    async def feed(self, ids: Sequence[str]) -> None:
        """The file holds them already, and its acknowledgement is the position."""


class HttpSource:
    def __init__(self, directory: Path) -> None:
        self.counts = RecordCounts()
        self._started: HttpIngress | None = None

    def ingress(self) -> Ingress:
        self._started = HttpIngress(PlaygroundIngressSpec(port=0), AdapterContext(self.counts))
        return self._started

    async def feed(self, ids: Sequence[str]) -> None:
        assert self._started is not None
        async with aiohttp.ClientSession(f"http://127.0.0.1:{self._started.port}") as client:
            for target_id in ids:
                async with client.put(f"/test/a/{target_id}", data=b"x") as response:
                    assert response.status == 202


SOURCES: dict[str, Callable[[Path], Source]] = {"file": FileSource, "http": HttpSource}


@pytest.fixture(params=SOURCES, name="source")
def each_source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    return SOURCES[request.param](tmp_path)


@asynccontextmanager
async def running(source: Source, inlet: MemoryInlet, ids: Sequence[str] = IDS) -> AsyncIterator[None]:
    """An ingress from the inlet's durable positions, while `ids` are fed to it."""
    ingress = source.ingress()
    await ingress.start(inlet, inlet.durable_positions)
    tasks = [asyncio.create_task(ingress.run()), asyncio.create_task(source.feed(ids))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ingress.stop()


async def until_accepted(inlet: MemoryInlet, count: int) -> None:
    while len(inlet.arrivals) < count:
        inlet.accepted.clear()
        await inlet.accepted.wait()


def ids_of(inlet: MemoryInlet) -> list[str]:
    return [arrival.target[1] for arrival in inlet.arrivals]


async def test_every_message_arrives_once_and_in_order(source: Source) -> None:
    inlet = MemoryInlet(commits=True)
    async with running(source, inlet):
        await until_accepted(inlet, len(IDS))
    assert ids_of(inlet) == IDS
    assert {arrival.target[0] for arrival in inlet.arrivals} == {"test/a"}
    assert source.counts == RecordCounts(records=len(IDS))


async def test_nothing_is_handed_in_before_there_is_room(source: Source) -> None:
    inlet = MemoryInlet(commits=True)
    inlet.open.clear()
    async with running(source, inlet):
        done, _ = await asyncio.wait((asyncio.create_task(inlet.accepted.wait()),), timeout=0.05)
        assert (done, inlet.arrivals) == (set(), [])
        inlet.open.set()
        await until_accepted(inlet, len(IDS))
    assert ids_of(inlet) == IDS


async def test_what_was_not_durable_is_not_acknowledged_and_comes_again_after_a_crash(source: Source) -> None:
    inlet = MemoryInlet()
    async with running(source, inlet):
        await until_accepted(inlet, 1)
        await inlet.commit()
        await until_accepted(inlet, 1)
        durable = list(inlet.durable_arrivals)
        inlet.crash()
        await inlet.fail("crashed")
    survivor = MemoryInlet(commits=True)
    survivor.arrivals, survivor.durable_positions = list(durable), dict(inlet.durable_positions)
    async with running(source, survivor, IDS[len(durable) :]):
        await until_accepted(survivor, len(IDS))
    assert ids_of(survivor) == IDS


async def test_what_is_durable_does_not_come_again_after_a_restart(source: Source) -> None:
    inlet = MemoryInlet(commits=True)
    async with running(source, inlet):
        await until_accepted(inlet, len(IDS))
    async with running(source, inlet, ()):
        await asyncio.sleep(0)
    assert ids_of(inlet) == IDS


async def test_an_ingress_can_be_stopped_twice_and_before_it_started(source: Source) -> None:
    ingress = source.ingress()
    await ingress.stop()
    ingress = source.ingress()
    await ingress.start(MemoryInlet(), {})
    await ingress.stop()
    await ingress.stop()
