import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from statefun_runtime.egress.subscription import SubscriptionEgress
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, RecordCounts
from statefun_runtime.module.egress_spec import SubscriptionEgressSpec
from statefun_runtime.testing import MemoryOutbox

from .records import texts

PATH = "/egress/test/out"


@asynccontextmanager
async def started(
    outbox: MemoryOutbox, directory: Path, lineage: str = "l", size: int = 1 << 20
) -> AsyncIterator[SubscriptionEgress]:
    spec = SubscriptionEgressSpec(id="test/out", port=0, retention_size=size)
    egress = SubscriptionEgress(spec, AdapterContext(RecordCounts(), data_dir=directory, lineage=lineage))
    await outbox.start(egress)
    serving = asyncio.create_task(egress.run())
    try:
        yield egress
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await egress.stop()


class Answer:
    def __init__(self, status: int, body: str, headers: Any) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def records(self) -> list[tuple[str, object]]:
        assert self.status == 200, self.body
        assert self.headers["Content-Type"] == "application/x-ndjson"
        return [(line["cursor"], line["value"]) for line in map(json.loads, self.body.splitlines())]

    @property
    def cursor(self) -> str:
        return str(self.headers["Statefun-Cursor"])


async def get(egress: SubscriptionEgress, query: str = "", path: str = PATH, **options: Any) -> Answer:
    url = f"http://127.0.0.1:{egress.port}{path}{'?' if query else ''}{query}"
    method = options.pop("method", "GET")
    async with aiohttp.ClientSession() as client, client.request(method, url, **options) as response:
        return Answer(response.status, await response.text(), response.headers)


async def add(egress: SubscriptionEgress, outbox: MemoryOutbox, *values: str) -> None:
    egress.write(outbox.add(*texts(*values)))
    await outbox.until_released(outbox.batches[-1].epoch)


async def test_every_reader_gets_every_record_as_often_as_it_asks(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(outbox, tmp_path) as egress:
        await add(egress, outbox, "a", "b")
        await add(egress, outbox, "c")
        for _ in range(2):
            answer = await get(egress)
            assert answer.records == [("l-1", "a"), ("l-2", "b"), ("l-3", "c")]
            assert answer.cursor == "l-3"
        assert (await get(egress, "after=l-1")).records == [("l-2", "b"), ("l-3", "c")]
        assert (await get(egress, "after=l-0&max=1")).records == [("l-1", "a")]
        assert (await get(egress, "after=l-0&max=1")).cursor == "l-1"


async def test_the_path_may_encode_the_slash_of_the_id(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(outbox, tmp_path) as egress:
        await add(egress, outbox, "a")
        assert (await get(egress, path="/egress/test%2Fout")).records == [("l-1", "a")]


async def test_records_come_as_a_json_array_if_that_is_accepted(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(outbox, tmp_path) as egress:
        accept = {"Accept": "application/json"}
        assert (await get(egress, "wait=0", headers=accept)).body == "[]"
        await add(egress, outbox, "a\n", "b")
        answer = await get(egress, headers=accept)
        assert answer.headers["Content-Type"] == "application/json"
        assert [record["value"] for record in json.loads(answer.body)] == ["a\n", "b"]


async def test_a_reader_waits_for_the_next_record(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(outbox, tmp_path) as egress:
        await add(egress, outbox, "a")
        readers = [asyncio.create_task(get(egress, "after=l-1")) for _ in range(3)]
        readers.append(asyncio.create_task(get(egress, "after=latest")))
        done, _ = await asyncio.wait(readers, timeout=0.05)
        assert not done
        await add(egress, outbox, "b")
        assert [answer.records for answer in await asyncio.gather(*readers)] == [[("l-2", "b")]] * 4


async def test_a_wait_that_was_in_vain_gives_nothing_and_the_same_cursor(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(outbox, tmp_path) as egress:
        await add(egress, outbox, "a")
        answer = await get(egress, "after=latest&wait=0.01")
        assert (answer.records, answer.cursor) == ([], "l-1")


async def test_a_cursor_that_came_out_before_a_crash_is_right_after_it(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(outbox, tmp_path) as egress:
        await add(egress, outbox, "a")
        await add(egress, outbox, "b", "c")
        before = await get(egress)
    outbox.crash()
    async with started(outbox, tmp_path) as egress:
        waiting = asyncio.create_task(get(egress, f"after={before.cursor}"))
        await add(egress, outbox, "d")
        assert (await waiting).records == [("l-4", "d")]
        assert (await get(egress)).records == [*before.records, ("l-4", "d")]


async def test_a_cursor_that_is_too_old_gets_410_and_the_oldest_one(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(outbox, tmp_path, size=16) as egress:
        for value in "abc":
            await add(egress, outbox, value)
        answer = await get(egress, "after=l-1")
        error = json.loads(answer.body)
        assert (answer.status, error["oldest"]) == (410, "l-3")
        assert "records behind l-1 are not kept any more; the oldest record is behind the cursor l-3" in error["error"]
        assert (await get(egress, f"after={error['oldest']}&wait=0")).records == []


async def test_a_cursor_of_another_lineage_gets_410(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(outbox, tmp_path) as egress:
        await add(egress, outbox, "a")
    outbox.commit()
    restored = MemoryOutbox()
    restored.position = outbox.position
    async with started(restored, tmp_path, lineage="m") as egress:
        await add(egress, restored, "b")
        answer = await get(egress, "after=l-1")
        error = json.loads(answer.body)
        assert (answer.status, error["oldest"]) == (410, "m-1")
        assert "the application was restored from a savepoint" in error["error"]
        assert (await get(egress)).records == [("m-2", "b")]


@pytest.mark.parametrize(
    ("path", "method", "status", "reason"),
    [
        ("/egress/test/other", "GET", 404, "there is only /egress/test/out"),
        (PATH, "POST", 405, "only GET"),
        (f"{PATH}?after=7", "GET", 400, "is no cursor"),
        (f"{PATH}?max=0", "GET", 400, "max=0"),
    ],
)
async def test_another_request_is_refused(tmp_path: Path, path: str, method: str, status: int, reason: str) -> None:
    async with started(MemoryOutbox(), tmp_path) as egress:
        answer = await get(egress, path=path, method=method)
    assert answer.status == status
    assert reason in answer.body


async def test_a_stop_answers_those_who_wait(tmp_path: Path) -> None:
    async with started(MemoryOutbox(), tmp_path) as egress:
        waiting = asyncio.create_task(get(egress, "wait=60"))
        done, _ = await asyncio.wait((waiting,), timeout=0.05)
        assert not done
    assert (await waiting).records == []


async def test_a_log_that_cannot_be_written_ends_the_egress(tmp_path: Path) -> None:
    outbox = MemoryOutbox()
    async with started(outbox, tmp_path) as egress:
        serving = asyncio.create_task(egress.run())
        for segment in egress._records.view.segments:
            segment.path.unlink()
        egress.write(outbox.add(*texts("a")))
        with pytest.raises(EgressError, match=r"egress test/out: .*cannot be used"):
            await serving
    assert outbox.released_epochs == [0]


async def test_a_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    async with started(MemoryOutbox(), tmp_path) as egress:
        spec = SubscriptionEgressSpec(id="test/two", port=egress.port)
        second = SubscriptionEgress(spec, AdapterContext(data_dir=tmp_path, lineage="l"))
        with pytest.raises(EgressError, match=r"test/two: port \d+: .*Free it, or set another `port`"):
            await second.start(MemoryOutbox(), None)
