import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

from statefun_runtime.http_server import HttpServer
from tests.runtime.driver_rig import turns


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


async def test_a_burst_of_connections_waits_for_a_busy_event_loop() -> None:
    server = HttpServer(hello, "127.0.0.1", 0)
    await server.start()
    # Nobody accepts meanwhile, since this is the thread of the event loop.
    clients = [socket.create_connection(("127.0.0.1", server.port), timeout=0.5) for _ in range(500)]
    for client in clients:
        client.close()
    await server.stop()


async def test_a_server_for_the_network_takes_any_host_name() -> None:
    assert await get("0.0.0.0", {"Host": "runtime.internal"}) == (200, "hello")


async def sending(server: HttpServer) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client whose request the server has begun to take, and that has sent a part of the body."""
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert b" 100 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"hel")
    return reader, writer


async def test_an_expectation_that_nobody_knows_is_refused() -> None:
    status, text = await get("127.0.0.1", {"Expect": "the-unexpected"})
    assert status == 417
    assert "'the-unexpected'" in text


async def test_a_stop_does_not_wait_for_a_body_that_is_not_here() -> None:
    server = HttpServer(hello, "127.0.0.1", 0)
    reader, writer = await sending(server)
    stopping = asyncio.create_task(server.stop())
    assert b" 503 " in await reader.readline()
    writer.close()
    await stopping


@pytest.mark.slow
async def test_a_body_that_does_not_come_in_time_is_refused() -> None:
    server = HttpServer(hello, "127.0.0.1", 0, body_seconds=0.01)
    reader, writer = await sending(server)
    assert b" 408 " in await reader.readline()
    writer.write(b"lo")  # or the server lingers for it
    await server.stop()
    writer.close()
    await writer.wait_closed()


async def test_a_client_that_goes_away_while_it_sends_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    server = HttpServer(hello, "127.0.0.1", 0)
    _, writer = await sending(server)
    writer.close()
    await writer.wait_closed()
    await turns()
    await server.stop()
    assert caplog.records == []


async def test_stopping_twice_is_no_error() -> None:
    server = HttpServer(hello, "127.0.0.1", 0)
    await server.start()
    await server.stop()
    await server.stop()
