"""Calls, and messages with a key, over HTTP on a whole runtime in this process."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from scripts.ports import free_port
from statefun import Context, Int32Type, Message, StatefulFunctions
from statefun.client import AsyncStatefunClient, CallFailedError, CallTimeoutError, RefusedError
from statefun_runtime.cli.application import playground_module
from statefun_runtime.config import FunctionSettings, RuntimeConfig
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.errors import ConfigError
from statefun_runtime.runtime import Runtime
from tests.runtime.call_application import functions

COUNTER = "/test/counter/a"


class Response(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def error(self) -> str:
        text: str = json.loads(self.body)["error"]
        return text


class Served:
    """A runtime that hosts the functions, and a client of it."""

    def __init__(self, data: Path, client: aiohttp.ClientSession, **functions: FunctionSettings) -> None:
        self._config = RuntimeConfig(
            data_dir=data,
            admin_port=free_port(),
            http_port=free_port(),
            http_egress_port=0,
            functions={f"test/{name}": settings for name, settings in functions.items()},
        )
        self._client = client

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._config.http_port}"

    async def start(self) -> "Served":
        self.stopping = asyncio.Event()
        runtime = Runtime(playground_module(self._config), InProcessEndpoint(functions, 10), self._config)
        self._running = asyncio.create_task(runtime.run(self.stopping))
        while not await self._is_ready():
            assert not self._running.done(), self._running.exception()
        return self

    async def _is_ready(self) -> bool:
        try:
            async with self._client.get(f"http://127.0.0.1:{self._config.admin_port}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async def stop(self) -> None:
        self.stopping.set()
        await self._running

    async def request(
        self, path: str, body: bytes | str = b"hi", *, method: str = "POST", key: str | None = None, **headers: str
    ) -> Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            sent["Idempotency-Key"] = key
        async with self._client.request(method, self.url + path, data=body, headers=sent) as response:
            return Response(response.status, await response.read(), response.headers)

    async def metrics(self) -> str:
        async with self._client.get(f"http://127.0.0.1:{self._config.admin_port}/metrics") as response:
            return await response.text()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


@pytest.fixture
async def served(tmp_path: Path, client: aiohttp.ClientSession) -> AsyncIterator[Served]:
    served = await Served(tmp_path / "data", client).start()
    yield served
    await served.stop()


async def test_a_call_is_answered_with_the_reply_of_the_function(served: Served) -> None:
    for count, method in enumerate(("POST", "PUT"), 1):
        response = await served.request(f"{COUNTER}/call", method=method)
        assert (response.status, response.body) == (200, b"%d" % count)
        assert response.headers["Statefun-Type"] == "io.statefun.types/int"
        assert response.headers["Content-Type"] == "application/json"
    metrics = await served.metrics()
    assert 'statefun_request_answers_total{answer="replied"} 2.0' in metrics
    assert "statefun_call_latency_seconds_count 2.0" in metrics
    assert "statefun_requests_waiting 0.0" in metrics


@pytest.mark.parametrize(
    ("asked", "typename", "content_type", "body"),
    [
        ("json", "shop/Cart", "application/json", '{"items": ["socks"], "text": "grüß"}'.encode()),
        ("bytes", "shop/Picture", "application/octet-stream", b"\x89PNG"),
        ("nan", "io.statefun.types/float", "application/octet-stream", b"\r\x00\x00\xc0\x7f"),
        ("text", "io.statefun.types/string", "application/json", b'""'),
        ("bool", "io.statefun.types/bool", "application/json", b"true"),
        ("double", "io.statefun.types/double", "application/json", b"0.5"),
    ],
)
async def test_the_body_is_json_where_the_value_is_and_else_its_bytes(
    served: Served, asked: str, typename: str, content_type: str, body: bytes
) -> None:
    response = await served.request("/test/reply/a/call", asked)
    assert response.status == 200
    assert response.headers["Statefun-Type"] == typename
    assert response.headers["Content-Type"] == content_type
    assert json.loads(response.body) == json.loads(body) if content_type.endswith("json") else response.body == body


async def test_another_function_may_reply_later(served: Served) -> None:
    response = await served.request("/test/later/a/call")
    assert (response.status, response.body) == (200, b'"later"')


async def test_a_call_without_a_reply_in_time_is_answered_504_and_goes_on(served: Served) -> None:
    response = await served.request("/test/silent/a/call?timeout=0.01")
    assert response.status == 504
    assert response.error == (
        "no reply within 0.01 s; what is under way goes on; with an Idempotency-Key it could be asked for"
    )
    assert (await served.request("/test/silent/a/call?timeout=0.01", key="k")).error.endswith("with the same key")


async def test_calls_with_one_key_are_one_call(served: Served) -> None:
    responses = await asyncio.gather(*(served.request(f"{COUNTER}/call", key="k") for _ in range(20)))
    assert {(response.status, response.body) for response in responses} == {(200, b"1")}
    assert (await served.request(f"{COUNTER}/call", key="another")).body == b"2"
    assert (await served.request("/test/counter/b/call", key="k")).body == b"1"


async def test_messages_with_one_key_are_one_message(served: Served) -> None:
    for method in ("PUT", "PUT", "POST"):
        assert (await served.request(COUNTER, method=method, key="k")).status == 202
    assert (await served.request(f"{COUNTER}/call", key="k")).body == b"2"


async def test_a_batch_with_a_key_is_sent_once(served: Served) -> None:
    body = "\n".join('{"target": "test/counter", "id": "a", "value": "hi"}' for _ in range(3))
    for _ in range(2):
        assert (await served.request("/batch", body, key="k")).status == 202
    assert (await served.request(f"{COUNTER}/call")).body == b"4"


@pytest.mark.parametrize("path", [COUNTER, f"{COUNTER}/call"])
async def test_another_body_or_type_with_the_same_key_is_refused(served: Served, path: str) -> None:
    first = await served.request(path, key="k")
    for other in (served.request(path, "other", key="k"), served.request(path, key="k", Content_Type="text/html")):
        response = await other
        assert response.status == 422
        assert "another message was sent with this key before" in response.error
    assert (await served.request(path, key="k"))[:2] == first[:2]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tin"])
async def test_a_key_that_is_none_is_refused(served: Served, key: str) -> None:
    response = await served.request(COUNTER, key=key)
    assert (response.status, response.error) == (400, "Idempotency-Key must have 1 to 255 printable characters")


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "inf", "300.1", "soon", ""])
async def test_a_time_limit_that_is_none_or_too_long_is_refused(served: Served, limit: str) -> None:
    response = await served.request(f"{COUNTER}/call?timeout={limit}")
    assert (response.status, response.error) == (400, "timeout must be more than 0 and at most 300 seconds")


async def test_a_call_by_another_method_is_refused(served: Served) -> None:
    response = await served.request(f"{COUNTER}/call", method="DELETE")
    assert (response.status, response.headers["Allow"]) == (405, "POST, PUT")


async def test_an_id_may_be_call(served: Served) -> None:
    assert (await served.request("/test/counter/call")).status == 202
    assert (await served.request("/test/counter/call/call")).body == b"2"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/io.statefun.http/request/x", ""),
        ("/io.statefun.http/request/x/call", ""),
        ("/batch", '{"target": "io.statefun.http/request", "id": "x", "value": 1}'),
    ],
)
async def test_nobody_sends_to_the_addresses_of_requests(served: Served, path: str, body: str) -> None:
    response = await served.request(path, body)
    assert response.status == 400
    assert "those addresses are the runtime's own" in response.error


async def test_a_call_whose_target_parks_is_answered_503_with_the_reason(served: Served) -> None:
    response = await served.request("/test/broken/a/call", key="k")
    assert response.status == 503
    assert "the message waits, since its target is parked" in response.error
    assert "broken on purpose" in response.error
    assert "Retry-After" not in response.headers
    refused = await served.request("/test/broken/a/call")
    assert refused.status == 503
    assert "the message was not taken, since its target is parked" in refused.error


async def test_a_call_to_a_function_that_nobody_serves_is_answered_503(served: Served) -> None:
    response = await served.request("/test/nobody/a/call")
    assert response.status == 503
    assert "no endpoint serves test/nobody" in response.error


async def test_a_call_that_becomes_a_dead_letter_is_answered_500_with_the_reason(
    tmp_path: Path, client: aiohttp.ClientSession
) -> None:
    served = await Served(tmp_path, client, broken=FunctionSettings(on_failure="dead-letter")).start()
    for key in (None, "k", "k"):
        response = await served.request("/test/broken/a/call", key=key)
        assert response.status == 500
        assert "broken on purpose" in response.error
    await served.stop()


async def test_after_a_restart_a_repeat_gets_the_same_answer(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    served = await Served(tmp_path, client).start()
    assert (await served.request(f"{COUNTER}/call", key="k")).body == b"1"
    await served.stop()
    await served.start()
    assert (await served.request(f"{COUNTER}/call", key="k")).body == b"1"
    await served.stop()


async def test_a_stop_answers_those_who_wait(
    tmp_path: Path, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statefun_runtime.requests.live.GRACE_SECONDS", 0.01)
    served = await Served(tmp_path, client).start()
    waiting = asyncio.create_task(served.request("/test/silent/a/call", key="k"))
    while "statefun_requests_waiting 1.0" not in await served.metrics():
        assert not waiting.done()
    await served.stop()
    response = await waiting
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert "the runtime stops" in response.error


async def test_the_python_client_calls_with_keys_and_tells_failures_apart(served: Served) -> None:
    async with AsyncStatefunClient(served.url) as client:
        await client.send("test/counter/a", "hi", key="sent")
        await client.send("test/counter/a", "hi", key="sent")
        for _ in range(2):
            assert (await client.call("test/counter/a", "hi", key="k")).as_type(Int32Type) == 2
        with pytest.raises(RefusedError, match="another message was sent with this key before"):
            await client.call("test/counter/a", "other", key="k")
        with pytest.raises(CallTimeoutError):
            await client.call("test/silent/a", "hi", timeout=0.01)
        with pytest.raises(CallFailedError, match="broken on purpose"):
            await client.call("test/broken/a", "hi")


async def test_a_function_with_a_name_of_the_runtimes_own_is_refused(tmp_path: Path) -> None:
    own = StatefulFunctions()

    @own.bind("io.statefun.http/request")
    def request(context: Context, message: Message) -> None:
        raise NotImplementedError

    config = RuntimeConfig(data_dir=tmp_path, admin_port=0, http_port=0, http_egress_port=0)
    with pytest.raises(ConfigError, match="the namespace of the runtime's own functions"):
        await Runtime(playground_module(config), InProcessEndpoint(own, 10), config).run(asyncio.Event())
