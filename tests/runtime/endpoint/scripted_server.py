"""A server that says exactly what a test tells it to, and a caller that awaits replies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TypeAlias

from statefun.protocol.request_reply_pb2 import FromFunction, TypedValue
from statefun_runtime.endpoint.http import HttpEndpoint
from statefun_runtime.interfaces import Batch, Effects, Failure, FailureKind, Reply
from statefun_runtime.module.transport_spec import TransportSpec

Conversation: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

TARGET = ("example/greeter", "ada")


def settings(**changes: object) -> TransportSpec:
    return TransportSpec(**({"call_timeout": 20_000, "connect_timeout": 5_000} | changes))  # type: ignore[arg-type]


def batch(text: bytes = b"hello", typename: str = TARGET[0], identifier: str = TARGET[1]) -> Batch:
    target = (typename, identifier)
    payload = TypedValue(typename="example/text", has_value=True, value=text).SerializeToString()
    return Batch(target, {}, [(1, target, None, payload)])


def reply_bytes(text: bytes = b"done") -> bytes:
    """A reply with one record for the egress `example/out`."""
    reply = FromFunction()
    record = reply.invocation_result.outgoing_egresses.add()
    record.egress_namespace, record.egress_type = "example", "out"
    record.argument.typename, record.argument.has_value, record.argument.value = "example/text", True, text
    return reply.SerializeToString()


def ok(body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (headers, len(body), body)


def text_of(reply: Reply) -> bytes:
    assert isinstance(reply, Effects), reply
    return TypedValue.FromString(reply.egresses[0].payload).value


def failure(reply: Reply, kind: FailureKind) -> Failure:
    assert isinstance(reply, Failure), reply
    assert reply.kind is kind, reply
    return reply


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head + await reader.readexactly(int(length.partition(b":")[2]))


async def call(endpoint: HttpEndpoint, to_send: Batch | None = None) -> Reply:
    future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    endpoint.invoke(to_send or batch(), lambda _, reply: future.set_result(reply))
    return await future


@asynccontextmanager
async def started(endpoint: HttpEndpoint) -> AsyncIterator[HttpEndpoint]:
    await endpoint.start()
    try:
        yield endpoint
    finally:
        await endpoint.stop()


class ScriptedServer:
    """Holds one conversation after the other, one for each connection. `port` is that of TCP."""

    def __init__(self, conversations: Iterator[Conversation]) -> None:
        self._conversations = conversations
        self.connections = 0
        self.errors: list[BaseException] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tasks.add(asyncio.create_task(self.hold(reader, writer)))

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with closing(writer):
                await next(self._conversations)(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # the client went away first, which many tests want
        except Exception as error:  # noqa: BLE001  (it fails the test when the server is left)
            self.errors.append(error)


@asynccontextmanager
async def serving(*conversations: Conversation, socket: Path | None = None) -> AsyncIterator[ScriptedServer]:
    scripted = ScriptedServer(iter(conversations))
    if socket is None:
        server = await asyncio.start_server(scripted.accept, "127.0.0.1", 0)
        scripted.port = server.sockets[0].getsockname()[1]
    else:
        server = await asyncio.start_unix_server(scripted.accept, socket)
    try:
        yield scripted
    finally:
        server.close()
    if scripted.tasks:
        _, unfinished = await asyncio.wait(scripted.tasks, timeout=5)
        assert not unfinished, "a conversation goes on although the client is gone"
    assert scripted.errors == []


@asynccontextmanager
async def calling(
    *conversations: Conversation, **changes: object
) -> AsyncIterator[tuple[HttpEndpoint, ScriptedServer]]:
    """A started endpoint and the scripted server that it calls."""
    async with serving(*conversations) as server:
        url = f"http://127.0.0.1:{server.port}/statefun"
        async with started(HttpEndpoint(url, settings(**changes))) as endpoint:
            yield endpoint, server


def saying(*parts: bytes, stay: bool = True) -> Conversation:
    """Answer one request with these pieces, then wait for the client to leave, or close at once."""

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        if stay:
            await reader.read()

    return conversation
