"""The route for operators."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from statefun_runtime.console.admin import AdminServer, Probes
from statefun_runtime.console.operations import PATH, OperationsRoute
from statefun_runtime.errors import StoreError
from statefun_runtime.operation import Action, Operation, Outcome

BODY = json.dumps(Operation(Action.SKIP, (("test/f", "a"),), "ann").as_json())


class Admin:
    """An admin server with the route, and what was asked of it."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self.asked: list[Operation] = []
        self.error: StoreError | None = None
        self.server = AdminServer(Probes(lambda: None, lambda: b"", dict), 0)
        self.server.add_route("POST", PATH, OperationsRoute("secret", self.perform).answer)
        self._client = client

    async def perform(self, operation: Operation) -> list[Outcome]:
        self.asked.append(operation)
        if self.error is not None:
            raise self.error
        return [Outcome("test/f/a", done=True, text="done")]

    async def post(self, body: str = BODY, token: str = "Bearer secret", **headers: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.server.port}{PATH}"
        async with self._client.post(url, data=body, headers={"Authorization": token, **headers}) as response:
            return response.status, await response.text()


@pytest.fixture(name="admin")
async def started_admin() -> AsyncIterator[Admin]:
    async with aiohttp.ClientSession() as client:
        admin = Admin(client)
        await admin.server.start()
        yield admin
        await admin.server.stop()


async def test_an_operation_is_carried_out_and_its_outcomes_are_answered(admin: Admin) -> None:
    assert await admin.post() == (200, '{"outcomes": [{"target": "test/f/a", "done": true, "text": "done"}]}')
    assert admin.asked == [Operation(Action.SKIP, (("test/f", "a"),), "ann")]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Bearer sécret", "Basic secret", "secret"])
async def test_nothing_is_done_without_the_token(admin: Admin, token: str) -> None:
    assert (await admin.post(token=token))[0] == 401
    assert admin.asked == []


async def test_nothing_is_done_for_a_web_page_of_another_site(admin: Admin) -> None:
    assert (await admin.post(Origin="http://evil.example"))[0] == 403
    assert admin.asked == []


@pytest.mark.parametrize("body", ["", "{", "[]", "[" * 100_000, '{"action": "skip"}', "\ud800"])
async def test_a_body_that_is_no_operation_is_refused(admin: Admin, body: str) -> None:
    status, text = await admin.post(body.encode("utf-8", "surrogatepass").decode("latin-1"))
    assert (status, "the body is no operation" in text) == (400, True)
    assert admin.asked == []


async def test_a_runtime_that_cannot_make_it_durable_answers_503(admin: Admin) -> None:
    admin.error = StoreError("disk full")
    assert await admin.post() == (503, '{"error": "disk full"}')
