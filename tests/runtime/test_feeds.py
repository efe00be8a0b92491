import asyncio
from collections.abc import Mapping

import pytest

from statefun_runtime.errors import IngressError
from statefun_runtime.feeds import Feeds
from statefun_runtime.interfaces import Ingress, Inlet


class Source(Ingress):
    """An ingress whose end the test chooses; it notes what happens to it."""

    def __init__(self) -> None:
        self.end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.begun, self.may_stop = asyncio.Event(), asyncio.Event()
        self.may_stop.set()
        self.events: list[str] = []

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        self.events.append("run")
        self.begun.set()
        try:
            await asyncio.shield(self.end)
        finally:
            self.events.append("end")

    async def stop(self) -> None:
        await self.may_stop.wait()
        self.events.append("stop")


async def test_feeding_ends_when_all_sources_have_ended() -> None:
    first, second = Source(), Source()
    ended: asyncio.Queue[str] = asyncio.Queue()
    running = asyncio.create_task(Feeds({"first": first, "second": second}, ended.put_nowait).run())
    second.end.set_result(None)
    assert await ended.get() == "second"
    assert not running.done()
    first.end.set_result(None)
    await running
    assert await ended.get() == "first"


async def test_a_source_that_fails_ends_all_and_says_why() -> None:
    first, second = Source(), Source()
    running = asyncio.create_task(Feeds({"first": first, "second": second}, lambda _: None).run())
    first.end.set_exception(IngressError("the file is gone"))
    with pytest.raises(IngressError, match="the file is gone"):
        await running
    assert second.events == ["run", "end"]


async def test_what_is_stopped_runs_no_more_and_is_stopped_once_whoever_asks() -> None:
    source = Source()
    feeds = Feeds({"source": source}, lambda _: None)
    running = asyncio.create_task(feeds.run())
    await source.begun.wait()
    await asyncio.gather(feeds.stop(), feeds.stop())
    await feeds.stop()
    await running
    assert source.events == ["run", "end", "stop"]


async def test_whoever_asks_again_waits_too() -> None:
    source = Source()
    source.may_stop.clear()
    feeds = Feeds({"source": source}, lambda _: None)
    first, second = asyncio.create_task(feeds.stop()), asyncio.create_task(feeds.stop())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert not second.done()
    source.may_stop.set()
    await second
    assert source.events == ["stop"]


async def test_ingresses_are_stopped_even_if_they_never_ran() -> None:
    source = Source()
    await Feeds({"source": source}, lambda _: None).stop()
    assert source.events == ["stop"]
