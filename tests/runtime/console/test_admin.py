from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from statefun_runtime.console.admin import AdminServer, Probes
from statefun_runtime.errors import ConfigError
from statefun_runtime.metrics import EngineSnapshot, Metrics


class Admin:
    """A started admin server, what its probes answer, and a client."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self.reason: str | None = None
        metrics = Metrics(lambda: EngineSnapshot(epochs=7))
        probes = Probes(lambda: self.reason, metrics.exposition, lambda: {"functions": {"test/a": 1}})
        self.server = AdminServer(probes, 0)
        self._client = client

    async def request(self, path: str, method: str = "GET") -> tuple[int, str, str]:
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with self._client.request(method, url) as response:
            return response.status, await response.text(), response.headers["Content-Type"]


@pytest.fixture(name="admin")
async def started_admin() -> AsyncIterator[Admin]:
    async with aiohttp.ClientSession() as client:
        admin = Admin(client)
        await admin.server.start()
        yield admin
        await admin.server.stop()


async def test_a_runtime_is_alive_even_when_it_is_not_ready(admin: Admin) -> None:
    admin.reason = "starting"
    assert (await admin.request("/healthz"))[:2] == (200, '{"alive": true}')


async def test_readiness_says_why_not(admin: Admin) -> None:
    assert (await admin.request("/readyz"))[:2] == (200, '{"ready": true}')
    admin.reason = "the store is loading"
    assert (await admin.request("/readyz"))[:2] == (503, '{"ready": false, "reason": "the store is loading"}')


async def test_metrics_are_prometheus_text(admin: Admin) -> None:
    status, text, content_type = await admin.request("/metrics")
    assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "\nstatefun_epochs_total 7.0\n" in text


async def test_the_status_is_json(admin: Admin) -> None:
    assert (await admin.request("/status"))[:2] == (200, '{"functions": {"test/a": 1}}')


async def test_head_is_answered_as_get_without_a_body(admin: Admin) -> None:
    assert (await admin.request("/healthz", "HEAD"))[:2] == (200, "")


async def test_an_unknown_path_lists_the_known_ones(admin: Admin) -> None:
    status, text, _ = await admin.request("/nothing")
    assert status == 404
    assert "there are /healthz, /metrics, /readyz, /status" in text


async def test_another_method_is_not_allowed(admin: Admin) -> None:
    assert (await admin.request("/status", "POST"))[:2] == (405, '{"error": "/status takes GET"}')


async def test_a_route_that_was_added_is_served(admin: Admin) -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.Response(text=request.query["word"])

    admin.server.add_route("POST", "/echo", echo)
    assert (await admin.request("/echo?word=hi", "POST"))[:2] == (200, "hi")
    with pytest.raises(ValueError, match="GET /status has a handler already"):
        admin.server.add_route("GET", "/status", echo)


async def test_a_port_that_is_taken_is_an_error(admin: Admin) -> None:
    probes = Probes(lambda: None, lambda: b"", dict)
    with pytest.raises(ConfigError, match=r"admin port \d+: .*Free it, or set another"):
        await AdminServer(probes, admin.server.port).start()
