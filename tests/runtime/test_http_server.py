import aiohttp
import pytest
from aiohttp import web

from statefun_runtime.http_server import HttpServer


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="hello")


async def get(host: str, headers: dict[str, str]) -> tuple[int, str]:
    server = HttpServer(hello, host, 0)
    await server.start()
    try:
        url = f"http://127.0.0.1:{server.port}/"
        async with aiohttp.ClientSession() as client, client.get(url, headers=headers) as response:
            return response.status, await response.text()
    finally:
        await server.stop()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:8090"},
        {"Host": "[::1]:8090"},
        {"Sec-Fetch-Site": "none"},
        {"Host": "localhost:1", "Origin": "http://localhost:1", "Sec-Fetch-Site": "same-origin"},
    ],
)
async def test_the_machines_own_clients_are_served(headers: dict[str, str]) -> None:
    assert await get("127.0.0.1", headers) == (200, "hello")


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, "web pages of other sites"),
        ({"Sec-Fetch-Site": "same-site"}, "web pages of other sites"),
        ({"Origin": "http://evil.example"}, "web pages of 'http://evil.example'"),
        ({"Origin": "null"}, "web pages of 'null'"),
        ({"Host": "evil.example"}, "use localhost instead of 'evil.example'"),
        ({"Host": "["}, "use localhost"),
    ],
)
async def test_web_pages_of_other_sites_are_refused(headers: dict[str, str], reason: str) -> None:
    status, text = await get("127.0.0.1", headers)
    assert status == 403
    assert reason in text


async def test_a_server_for_the_network_takes_any_host_name() -> None:
    assert await get("0.0.0.0", {"Host": "runtime.internal"}) == (200, "hello")


async def test_stopping_twice_is_no_error() -> None:
    server = HttpServer(hello, "127.0.0.1", 0)
    await server.start()
    await server.stop()
    await server.stop()
