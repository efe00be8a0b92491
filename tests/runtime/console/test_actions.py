"""Actions are for who can read the token of the run, from this machine."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from statefun_runtime.console.actions import Actions, JsonObject
from statefun_runtime.console.admin import AdminServer, Probes
from statefun_runtime.errors import StoreError

OWNER = {"Authorization": "Bearer secret"}


class Caller:
    """An admin server with one action, and a client."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self.asked: list[JsonObject] = []
        self.error: StoreError | None = None
        self.server = AdminServer(Probes(lambda: None, lambda: b"", dict), 0)
        Actions(self.server, "secret").add("/act", self._act)
        self._client = client

    async def _act(self, asked: JsonObject) -> JsonObject:
        if self.error is not None:
            raise self.error
        self.asked.append(asked)
        return {"done": True}

    async def post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.server.port}/act"
        async with self._client.post(url, data=body, headers=headers) as response:
            return response.status, await response.json()


@pytest.fixture(name="caller")
async def started_caller() -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as client:
        caller = Caller(client)
        await caller.server.start()
        yield caller
        await caller.server.stop()


async def test_an_action_gets_the_object_and_answers_with_one(caller: Caller) -> None:
    assert await caller.post(b'{"name": "first"}', OWNER) == (200, {"done": True})
    assert await caller.post(b"", OWNER) == (200, {"done": True})
    assert caller.asked == [{"name": "first"}, {}]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic secret"},
        {"Authorization": "secret"},
        {"Authorization": "Bearer sécret"},
    ],
)
async def test_without_the_token_nothing_is_done(caller: Caller, headers: dict[str, str]) -> None:
    status, answer = await caller.post(b"{}", headers)
    assert (status, answer) == (401, {"error": "actions need the token in the data directory"})
    assert caller.asked == []


async def test_a_page_of_another_site_is_refused_even_with_the_token(caller: Caller) -> None:
    status, _ = await caller.post(b"{}", {**OWNER, "Origin": "http://example.org"})
    assert (status, caller.asked) == (403, [])


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b"[" * 10_000])
async def test_what_is_no_object_is_a_bad_request(caller: Caller, body: bytes) -> None:
    status, answer = await caller.post(body, OWNER)
    assert status == 400
    assert "the body" in answer["error"]
    assert caller.asked == []


async def test_why_an_action_failed_is_told(caller: Caller) -> None:
    caller.error = StoreError("the disk is full")
    assert await caller.post(b"{}", OWNER) == (409, {"error": "the disk is full"})
