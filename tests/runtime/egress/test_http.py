import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from statefun_runtime.egress.http import HttpEgress
from statefun_runtime.egress.playground_record import TYPENAME
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, Payload, RecordCounts
from statefun_runtime.module.egress_spec import PlaygroundEgressSpec
from statefun_runtime.testing import MemoryOutbox

from .records import texts, typed


def record(topic: str, payload: str) -> Payload:
    return typed(TYPENAME, json.dumps({"topic": topic, "payload": payload}).encode())


@asynccontextmanager
async def started(outbox: MemoryOutbox, *topics: str, counts: RecordCounts | None = None) -> AsyncIterator[HttpEgress]:
    sink = HttpEgress(PlaygroundEgressSpec(port=0, topics=topics), AdapterContext(counts or RecordCounts()))
    await outbox.start(sink)
    try:
        yield sink
    finally:
        await sink.stop()


async def get(sink: HttpEgress, path: str, method: str = "GET") -> tuple[int, str, Mapping[str, str]]:
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, f"http://127.0.0.1:{sink.port}{path}") as response,
    ):
        return response.status, await response.text(), response.headers


async def test_a_get_takes_the_next_message_of_its_topic() -> None:
    outbox, counts = MemoryOutbox(), RecordCounts()
    async with started(outbox, counts=counts) as sink:
        sink.write(outbox.add(record("a", "1"), record("b/ü", "grüß"), record("a", "2")))
        assert (await get(sink, "/a"))[:2] == (200, "1")
        assert (await get(sink, "/a"))[:2] == (200, "2")
        status, body, headers = await get(sink, "/b%2F%C3%BC")
        assert (status, body, headers["Status"]) == (200, "grüß", "200")
        status, _, headers = await get(sink, "/a")
        assert (status, headers["Status"]) == (404, "404")
    assert counts == RecordCounts(records=3)


async def test_an_epoch_is_released_when_its_messages_were_taken() -> None:
    outbox = MemoryOutbox()
    async with started(outbox) as sink:
        sink.write(outbox.add(record("a", "1"), record("a", "2")))
        sink.write(outbox.add(record("b", "3")))
        await get(sink, "/b")
        await get(sink, "/a")
        assert outbox.released_epochs == []
        await get(sink, "/a")
        assert outbox.released_epochs == [2]


async def test_what_was_not_released_comes_again_after_a_crash() -> None:
    outbox = MemoryOutbox()
    async with started(outbox) as sink:
        sink.write(outbox.add(record("a", "1"), record("a", "2")))
        assert (await get(sink, "/a"))[1] == "1"
    outbox.crash()
    async with started(outbox) as sink:
        assert [(await get(sink, "/a"))[1], (await get(sink, "/a"))[1]] == ["1", "2"]


async def test_with_listed_topics_any_other_is_not_allowed() -> None:
    async with started(MemoryOutbox(), "a") as sink:
        status, body, headers = await get(sink, "/b")
        assert (status, headers["Status"]) == (405, "405")
        assert "there is no topic 'b'" in body
        assert (await get(sink, "/a"))[0] == 404


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
async def test_only_get_takes_a_message(method: str) -> None:
    outbox = MemoryOutbox()
    async with started(outbox) as sink:
        sink.write(outbox.add(record("a", "1")))
        status, _, headers = await get(sink, "/a", method)
        assert (status, headers["Allow"]) == (405, "GET")
        assert (await get(sink, "/a"))[1] == "1"


async def test_a_record_that_nobody_can_take_is_logged_counted_and_holds_up_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outbox, counts = MemoryOutbox(), RecordCounts()
    async with started(outbox, "a", counts=counts) as sink:
        with caplog.at_level(logging.ERROR):
            sink.write(outbox.add(record("unlisted", "1"), *texts("no record")))
    assert outbox.released_epochs == [1]
    assert counts == RecordCounts(rejected=2)
    assert "epoch 1: rejected, a record is for topic 'unlisted', which the module does not list" in caplog.text
    assert "a record is of type 'io.statefun.types/string'" in caplog.text


async def test_a_message_whose_response_failed_is_the_next_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = MemoryOutbox()
    async with started(outbox) as sink:
        sink.write(outbox.add(record("a", "1"), record("a", "2")))
        with monkeypatch.context() as patched:
            patched.setattr(web.Response, "write_eof", broken_write)
            with pytest.raises(aiohttp.ClientError):
                await get(sink, "/a")
        assert outbox.released_epochs == []
        assert [(await get(sink, "/a"))[1], (await get(sink, "/a"))[1]] == ["1", "2"]
        assert outbox.released_epochs == [1]


async def broken_write(response: web.Response, data: bytes = b"") -> None:
    raise ConnectionResetError("the client is gone")


async def test_a_cancelled_response_puts_the_message_back(monkeypatch: pytest.MonkeyPatch) -> None:
    outbox, writing = MemoryOutbox(), asyncio.Event()

    async def hang(response: web.Response, data: bytes = b"") -> None:
        writing.set()
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr("statefun_runtime.http_server.SHUTDOWN_SECONDS", 0.01)
    async with started(outbox) as sink:
        sink.write(outbox.add(record("a", "1")))
        with monkeypatch.context() as patched:
            patched.setattr(web.Response, "write_eof", hang)
            getting = asyncio.create_task(get(sink, "/a"))
            await writing.wait()
            assert sink._topics.take("a") is None
            await sink.stop()
        await asyncio.gather(getting, return_exceptions=True)
        message = sink._topics.take("a")
        assert message is not None
        assert message.body == b"1"
    assert outbox.released_epochs == []


async def test_a_port_that_is_taken_is_an_error() -> None:
    async with started(MemoryOutbox()) as sink:
        second = HttpEgress(PlaygroundEgressSpec(port=sink.port), AdapterContext())
        with pytest.raises(EgressError, match=r"playground/egress: port \d+: .*Free it, or set another `port`"):
            await second.start(MemoryOutbox(), None)
