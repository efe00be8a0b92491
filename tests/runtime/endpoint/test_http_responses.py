"""What the client makes of each response."""

import asyncio
import gzip
import socket
import zlib

import pytest

from statefun_runtime.interfaces import FailureKind
from tests.runtime.endpoint.scripted_server import (
    Conversation,
    call,
    calling,
    failure,
    ok,
    read_request,
    reply_bytes,
    saying,
    text_of,
)

TRANSIENT, PERMANENT = FailureKind.TRANSIENT, FailureKind.PERMANENT


def in_two_pieces(response: bytes) -> Conversation:
    """Answer each request with `response`, cut after one byte, then after two, and so on."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in range(1, len(response)):
            await read_request(reader)
            writer.write(response[:cut])
            await asyncio.sleep(0)
            writer.write(response[cut:])

    return conversation


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + reply_bytes(),
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + reply_bytes(),
        ok(reply_bytes())[:-1],
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nno",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
)
async def test_a_response_that_is_not_complete_is_transient(response: bytes) -> None:
    async with calling(saying(response, stay=False)) as (endpoint, _):
        failure(await call(endpoint), TRANSIENT)


async def test_a_response_may_come_in_any_pieces() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nX-Trailer: 1\r\n\r\n"
    for whole in (
        b"HTTP/1.1 100 Continue\r\n\r\n" + ok(reply_bytes(), b"Server: x\r\n"),
        chunked % (len(reply_bytes()), reply_bytes()),
    ):
        async with calling(in_two_pieces(whole)) as (endpoint, server):
            for _cut in range(1, len(whole)):
                assert text_of(await call(endpoint)) == b"done"
            assert server.connections == 1


async def test_a_response_of_single_bytes_is_taken() -> None:
    async with calling(saying(*(bytes([byte]) for byte in ok(reply_bytes())))) as (endpoint, _):
        assert text_of(await call(endpoint)) == b"done"


@pytest.mark.parametrize("status", [408, 409, 420, 429, 499, 500, 502, 503, 504, 599])
async def test_a_status_that_may_pass_is_transient(status: int) -> None:
    response = b"HTTP/1.1 %d X\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nno\x00\nt" % status
    async with calling(saying(response)) as (endpoint, server):
        failed = failure(await call(endpoint), TRANSIENT)
    assert failed.retry_after == 7000
    assert failed.reason == f"http://127.0.0.1:{server.port}/statefun: answered {status}: no  t"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422])
async def test_a_status_that_stays_is_permanent_and_shows_the_beginning_of_its_text(status: int) -> None:
    response = b"HTTP/1.1 %d X\r\nContent-Length: 1000\r\n\r\n" % status + b"e" * 1000
    async with calling(saying(response)) as (endpoint, _):
        assert failure(await call(endpoint), PERMANENT).reason.endswith(f"answered {status}: " + "e" * 500)


async def test_a_redirect_is_not_followed() -> None:
    response = b"HTTP/1.1 307 X\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"
    async with calling(saying(response)) as (endpoint, server):
        assert "redirect to http://elsewhere/" in failure(await call(endpoint), PERMANENT).reason
        assert server.connections == 1


async def test_a_body_that_is_no_reply_is_permanent() -> None:
    async with calling(saying(ok(b"<html>It works</html>"))) as (endpoint, _):
        assert "breaks the protocol" in failure(await call(endpoint), PERMANENT).reason


async def test_a_reply_beyond_the_limit_is_permanent_however_it_is_framed() -> None:
    long = b"x" * 2000
    for response in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        ok(long),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + long + b"\r\n",
        ok(gzip.compress(bytes(500_000)), b"Content-Encoding: gzip\r\n"),
    ):
        async with calling(saying(response), payload_max_bytes=1000) as (endpoint, _):
            assert "larger than 1000 bytes" in failure(await call(endpoint), PERMANENT).reason


async def test_an_error_with_a_long_text_keeps_its_meaning() -> None:
    response = b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 5000\r\n\r\n" + b"e" * 5000
    async with calling(saying(response), payload_max_bytes=1000) as (endpoint, _):
        assert failure(await call(endpoint), TRANSIENT).retry_after == 1000


async def test_endless_headers_are_given_up() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()

    async with calling(endless) as (endpoint, _):
        assert "headers" in failure(await call(endpoint), TRANSIENT).reason


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", gzip.compress(reply_bytes())),
        (b"x-gzip", gzip.compress(reply_bytes())),
        (b"GZip", gzip.compress(reply_bytes()[:5]) + gzip.compress(reply_bytes()[5:])),
        (b"deflate", zlib.compress(reply_bytes())),
        (b"deflate", zlib.compress(reply_bytes())[2:-4]),
        (b"identity", reply_bytes()),
    ],
)
async def test_a_compressed_reply_is_decompressed(encoding: bytes, body: bytes) -> None:
    async with calling(saying(ok(body, b"Content-Encoding: %b\r\n" % encoding))) as (endpoint, _):
        assert text_of(await call(endpoint)) == b"done"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", reply_bytes()),
        (b"gzip", gzip.compress(reply_bytes())[:-3]),
        (b"gzip", gzip.compress(reply_bytes()) + b"more"),
        (b"deflate", b"\xff\xff\xff"),
        (b"br", reply_bytes()),
    ],
)
async def test_a_reply_that_cannot_be_decompressed_is_permanent(encoding: bytes, body: bytes) -> None:
    async with calling(saying(ok(body, b"Content-Encoding: %b\r\n" % encoding))) as (endpoint, _):
        failure(await call(endpoint), PERMANENT)
