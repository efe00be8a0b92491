import asyncio
import socket
import stat
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from statefun import Reject, RetryLater
from statefun_runtime.endpoint.listener import ListenAddress, bind_unix
from statefun_runtime.endpoint.server import FunctionServer
from statefun_runtime.endpoint.server_connection import ServerConnection, ServerLimits
from statefun_runtime.errors import ConfigError
from tests.runtime.endpoint.raw_client import Serve, connected, connection, echo, post, served


async def test_a_post_to_any_path_is_answered_and_the_connection_stays() -> None:
    async with connected() as client:
        for path in (b"/", b"/any/path?query=1", b"*", b"http://host/absolute"):
            await client.send(post(b"hello", path=path))
            status, headers, body = await client.response()
            assert (status, body) == (200, b"hello")
            assert headers["content-type"] == "application/octet-stream"
            assert headers["date"].endswith("GMT")


async def test_an_empty_reply_is_complete() -> None:
    async def nothing(_: bytes) -> bytes:
        return b""

    async with connected(Serve(nothing)) as client:
        await client.send(post(b"hello"))
        assert (await client.response())[1]["content-length"] == "0"


async def test_a_request_may_come_in_any_pieces() -> None:
    chunked = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n"
    async with connected() as client:
        for request in (post(b"hello", b"Content-Type: application/octet-stream"), chunked):
            for cut in range(1, len(request)):
                await client.send(request[:cut], request[cut:])
                assert (await client.response())[::2] == (200, b"hello")


async def test_pipelined_requests_are_answered_in_order() -> None:
    gates = {b"%d" % n: asyncio.Event() for n in range(3)}
    begun: list[bytes] = []

    async def wait(data: bytes) -> bytes:
        begun.append(data)
        await gates[data].wait()
        return data

    async with connected(Serve(wait)) as client:
        await client.send(b"".join(post(body) for body in gates) + b"GET / HTTP/1.1\r\n\r\n")
        for gate in reversed(gates.values()):
            gate.set()
        assert [(await client.response())[2] for _ in gates] == list(gates)
        assert await client.status() == 405
        assert begun == list(gates)


async def test_thousands_of_pipelined_requests_are_answered() -> None:
    async with connected() as client:
        sending = asyncio.create_task(client.send(*([post(b"x") * 5000] * 2)))
        for _ in range(10_000):
            assert (await client.response())[2] == b"x"
        await sending


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 405),
        (b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab", 405),
        (b"HEAD / HTTP/1.1\r\n\r\n", 405),
        (post(b"ab", b"Content-Type: application/json"), 415),
        (post(b""), 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ],
)
async def test_a_refused_request_leaves_the_connection_usable(request_bytes: bytes, status: int) -> None:
    async with connected() as client:
        await client.send(request_bytes)
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        if not request_bytes.startswith(b"HEAD"):
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length: "))
            assert await client.reader.readexactly(int(length.partition(b": ")[2]))
        await client.send(post(b"hello"))
        assert (await client.response())[2] == b"hello"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nX: " + b"x" * 5000 + b"\r\n\r\n", 431),
        (b"POST /" + b"x" * 5000, 431),
        (b"POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, 413),
        (b"CONNECT host:1 HTTP/1.1\r\nHost: host\r\n\r\n", 405),
    ],
)
async def test_what_cannot_be_read_is_refused_and_the_connection_closed(request_bytes: bytes, status: int) -> None:
    async with connected(max_head_bytes=4000, max_body_bytes=1000) as client:
        await client.send(request_bytes)
        answered, headers, _ = await client.response()
        assert (answered, headers["connection"]) == (status, "close")
        assert await client.is_closed()


async def test_endless_headers_are_refused() -> None:
    async with connected(max_head_bytes=4000) as client:
        await client.send(b"POST / HTTP/1.1\r\nX: ", *([b"x" * 1000] * 10))
        assert await client.status() == 431


async def test_the_reason_of_a_refusal_reaches_a_client_that_is_still_sending() -> None:
    async with connected(max_body_bytes=1000) as client:
        await client.send(b"POST / HTTP/1.1\r\nContent-Length: 8000000\r\n\r\n", *([b"x" * 1000] * 100))
        assert await client.status() == 413


async def test_a_body_of_exactly_the_limit_is_taken() -> None:
    async with connected(max_body_bytes=1000) as client:
        await client.send(post(b"x" * 1000))
        assert await client.status() == 200


async def test_a_client_that_asks_may_send_its_body() -> None:
    async with connected() as client:
        await client.send(b"POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"hello")
        assert (await client.response())[2] == b"hello"


async def test_a_client_that_asks_behind_another_request_is_told_in_its_turn() -> None:
    async with connected() as client:
        await client.send(post(b"first") + b"POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert (await client.response())[2] == b"first"
        assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"again")
        assert (await client.response())[2] == b"again"


@pytest.mark.parametrize(
    ("header", "status"),
    [(b"Content-Length: 99999", 413), (b"Content-Length: 5\r\nContent-Type: text/plain", 415)],
)
async def test_a_client_that_asks_is_refused_before_it_sends(header: bytes, status: int) -> None:
    async with connected(max_body_bytes=1000) as client:
        await client.send(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\n%b\r\n\r\n" % header)
        assert await client.status() == status
        assert await client.is_closed()


@pytest.mark.parametrize("request_bytes", [post(b"hello", b"Connection: close"), post(b"hello", version=b"1.0")])
async def test_a_connection_is_closed_when_the_client_wants_it(request_bytes: bytes) -> None:
    async with connected() as client:
        await client.send(request_bytes)
        assert (await client.response())[2] == b"hello"
        assert await client.is_closed()


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (RetryLater(timedelta(milliseconds=1200), "busy"), 503, "busy"),
        (Reject("never"), 422, "never"),
        (ValueError("wrong"), 500, "ValueError: wrong"),
        (asyncio.CancelledError(), 500, "cancelled"),
    ],
)
async def test_what_a_function_raises_becomes_a_status(error: BaseException, status: int, text: str) -> None:
    async def fail(_: bytes) -> bytes:
        raise error

    async with connected(Serve(fail)) as client:
        await client.send(post(b"hello"))
        answered, headers, body = await client.response()
        assert answered == status
        assert text in body.decode()
        assert headers.get("retry-after") == ("2" if status == 503 else None)
        await client.send(post(b"hello"))
        assert await client.status() == status


async def test_health_is_asked_by_get() -> None:
    async with connected() as client:
        await client.send(b"GET /healthz HTTP/1.1\r\n\r\n")
        assert (await client.response())[::2] == (200, b"ok\n")


async def test_a_request_that_does_not_arrive_in_time_is_refused() -> None:
    for part in (b"POST / HT", b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel"):
        async with connected(receive_timeout=30) as client:
            await client.send(part)
            assert await client.status() == 408
            assert await client.is_closed()


async def test_an_idle_connection_is_closed() -> None:
    async with connected(idle_timeout=30) as client:
        await client.send(post(b"hello"))
        assert await client.status() == 200
        assert await client.is_closed()


async def test_a_function_may_take_longer_than_any_limit_for_clients() -> None:
    async def slow(data: bytes) -> bytes:
        await asyncio.sleep(0.1)
        return data

    async with connected(Serve(slow), receive_timeout=20, idle_timeout=20, send_timeout=20) as client:
        await client.send(post(b"hello"))
        assert await client.status() == 200


async def test_a_client_that_does_not_read_is_closed() -> None:
    async def large(_: bytes) -> bytes:
        return bytes(16 << 20)

    server = Watched(Serve(large), ListenAddress(port=0), ServerLimits(send_timeout=30))
    await server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(post(b"hello"))
        await server.lost.wait()
    await server.stop()


class Watched(FunctionServer):
    """Tells when a connection is lost."""

    def __init__(self, handler: Serve, address: ListenAddress, limits: ServerLimits) -> None:
        super().__init__(handler, address, limits)
        self.lost = asyncio.Event()

    def on_lost(self, connection: ServerConnection) -> None:
        super().on_lost(connection)
        self.lost.set()


async def test_a_request_whose_client_is_gone_is_cancelled() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(data: bytes) -> bytes:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return data

    async with served(Serve(wait)) as server:
        async with connection(server) as client:
            await client.send(post(b"hello"))
            await begun.wait()
        await cancelled.wait()


async def test_stop_finishes_what_is_at_work_and_takes_nothing_new() -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    async def wait(data: bytes) -> bytes:
        begun.set()
        await gate.wait()
        return data

    async with served(Serve(wait)) as server, connection(server) as busy, connection(server) as idle:
        await busy.send(post(b"hello"))
        await begun.wait()
        stopping = asyncio.create_task(server.stop())
        assert await idle.is_closed()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)
        gate.set()
        status, headers, body = await busy.response()
        assert (status, body, headers["connection"]) == (200, b"hello", "close")
        await stopping


async def test_stop_cancels_what_does_not_finish_in_time() -> None:
    begun = asyncio.Event()

    async def forever(data: bytes) -> bytes:
        begun.set()
        await asyncio.Event().wait()
        return data

    async with served(Serve(forever)) as server, connection(server) as client:
        await client.send(post(b"hello"))
        await begun.wait()
        await server.stop(grace=20)
        assert await client.is_closed()


async def test_other_clients_are_understood() -> None:
    async with served() as server, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{server.port}/statefun"
        for size in (1, 100_000, 900_000):
            async with session.post(url, data=b"x" * size) as response:
                assert await response.read() == b"x" * size
        for headers in ({"Content-Type": "application/octet-stream"}, {"Expect": "100-continue"}):
            async with session.post(url, data=b"hello", headers=headers, chunked=True) as response:
                assert (response.status, await response.read()) == (200, b"hello")
        async with session.get(url) as response:
            assert response.status == 405


async def test_a_unix_socket_is_for_its_owner_and_goes_with_the_server(tmp_path: Path) -> None:
    file = tmp_path / "functions.sock"
    async with served(address=ListenAddress(path=file)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        reader, writer = await asyncio.open_unix_connection(file)
        writer.write(post(b"hello"))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()
    assert not file.exists()


def test_a_stale_socket_is_replaced_and_no_other_file_is(tmp_path: Path) -> None:
    file = tmp_path / "functions.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(file))
    with bind_unix(file) as live:
        live.listen()
        with pytest.raises(ConfigError, match="another server listens"):
            bind_unix(file)
    text = tmp_path / "notes.sock"
    text.write_text("keep")
    with pytest.raises(ConfigError, match="is not a socket"):
        bind_unix(text)
    assert text.read_text() == "keep"


async def test_a_port_in_use_is_an_error_that_names_it() -> None:
    async with served() as server:
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{server.port}"):
            await FunctionServer(Serve(echo), ListenAddress(port=server.port)).start()
