"""A client that sends exactly what a test tells it to, and handlers for the server to serve."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from statefun_runtime.endpoint.listener import ListenAddress
from statefun_runtime.endpoint.server import FunctionServer
from statefun_runtime.endpoint.server_connection import Handler, ServerLimits


class Serve:
    """A handler made of a function."""

    def __init__(self, answer: Callable[[bytes], Awaitable[bytes]]) -> None:
        self._answer = answer

    async def handle_async(self, request_bytes: bytes) -> bytes:
        return await self._answer(request_bytes)


async def echo(data: bytes) -> bytes:
    return data


ECHO = Serve(echo)


def post(body: bytes, *headers: bytes, path: bytes = b"/", version: bytes = b"1.1") -> bytes:
    lines = [b"POST %b HTTP/%b" % (path, version), b"Host: test", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class RawClient:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0)

    async def response(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return int(first.split(" ")[1]), headers, body

    async def status(self) -> int:
        return (await self.response())[0]

    async def is_closed(self) -> bool:
        return await self.reader.read() == b""


@asynccontextmanager
async def served(
    handler: Handler = ECHO, address: ListenAddress | None = None, limits: ServerLimits | None = None
) -> AsyncIterator[FunctionServer]:
    server = FunctionServer(handler, address or ListenAddress(port=0), limits)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(grace=2_000)


@asynccontextmanager
async def connected(handler: Handler = ECHO, **limits: int) -> AsyncIterator[RawClient]:
    async with served(handler, limits=ServerLimits(**limits)) as server, connection(server) as client:
        yield client


@asynccontextmanager
async def connection(server: FunctionServer) -> AsyncIterator[RawClient]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()
