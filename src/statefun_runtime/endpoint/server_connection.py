"""A connection of the function server: requests are answered one after the other, in the order they came."""

import asyncio
import math
import sys
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Protocol, cast

from statefun.http_reply import HttpReply, failure, success
from statefun_runtime.endpoint.request import Request, RequestParser

_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Handler(Protocol):
    """What is served: `statefun.RequestReplyHandler`."""

    async def handle_async(self, request_bytes: bytes, /) -> bytes:
        """A ToFunction message in, a FromFunction message out. What it raises becomes a status."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """What a client may ask of the server. Times are in milliseconds, sizes in bytes."""

    max_head_bytes: int = 64 * 1024
    max_body_bytes: int = 32 * 1024 * 1024
    receive_timeout: int = 60_000
    """From the first byte of a request to its last."""
    send_timeout: int = 60_000
    """For a client to take enough of a reply that the rest fits the socket's buffer."""
    idle_timeout: int = 75_000
    """Longer than clients keep idle connections, so that they are the ones to close them."""
    linger_timeout: int = 2_000
    """For a client that was refused while it was still sending, so that it reads the reason."""


class ConnectionRegistry(Protocol):
    """Who keeps track of connections."""

    @property
    def date(self) -> bytes:
        """The Date header of responses."""
        ...

    def on_made(self, connection: "ServerConnection") -> None: ...

    def on_lost(self, connection: "ServerConnection") -> None: ...


class ServerConnection(asyncio.Protocol):
    """Answers the requests of one client."""

    _transport: asyncio.Transport

    def __init__(self, handler: Handler, limits: ServerLimits, registry: ConnectionRegistry) -> None:
        self._handler = handler
        self._limits = limits
        self._registry = registry
        self._loop = asyncio.get_running_loop()
        self._parser = RequestParser(limits.max_head_bytes, limits.max_body_bytes)
        self._requests: deque[Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._busy = False
        self._advancing = False
        self._write_paused = False
        self._reading_paused = False
        self._closing = False
        self._lost = False
        self._lingering = False
        self.deadline = math.inf
        """In the loop's time: when `time_out` is due."""

    def time_out(self) -> None:
        """The client is too slow, or idle for too long."""
        if self._parser.receiving and not self._lingering and not self._write_paused:
            self._requests.extend(self._parser.time_out())
            self._advance()
        else:
            self._transport.abort()

    def finish(self) -> None:
        """Answer the request at work, if there is one, and close."""
        self._closing = True
        self._requests.clear()
        if not self._busy and not self._lost:
            self._transport.close()

    def abort(self) -> asyncio.Task[None] | None:
        """Close at once; return the task of the request at work, which is cancelled."""
        self._lost = True
        self._transport.abort()
        if self._task is not None:
            self._task.cancel()
        return self._task

    # --------------------------------------------------------------------------------------------- callbacks of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._set_deadline()
        self._registry.on_made(self)

    def data_received(self, data: bytes) -> None:
        if self._lingering or self._closing:
            return
        was_receiving = self._parser.receiving
        self._requests.extend(self._parser.feed(data))
        if self._requests or not was_receiving or self._parser.awaits_continue:
            self._advance()

    def eof_received(self) -> None:
        """The client is gone: the transport closes itself, and whatever it asked for is cancelled."""

    def pause_writing(self) -> None:
        self._write_paused = True
        self._set_deadline()

    def resume_writing(self) -> None:
        self._write_paused = False
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  (asyncio's signature)
        self._lost = True
        self._parser.close()
        self._requests.clear()
        if self._task is not None:
            self._task.cancel()
        self._registry.on_lost(self)

    # -------------------------------------------------------------------------------------------------------- answering

    def _advance(self) -> None:
        """Begin the next request if it can begin, and say what is read and waited for until then."""
        if self._advancing or self._lost:
            return
        self._advancing = True
        while self._requests and not self._busy and not self._write_paused and not self._closing:
            self._begin(self._requests.popleft())
        self._advancing = False
        if self._parser.awaits_continue and not self._busy and not self._requests and not self._closing:
            self._parser.awaits_continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if bool(self._requests) != self._reading_paused and not self._transport.is_closing():
            self._pause_reading(pause=bool(self._requests))
        self._set_deadline()

    def _pause_reading(self, *, pause: bool) -> None:
        # While requests wait, more of them would only fill memory.
        self._reading_paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _set_deadline(self) -> None:
        limits = self._limits
        if self._lingering:
            wait: float = limits.linger_timeout
        elif self._write_paused:
            wait = limits.send_timeout
        elif self._busy:
            wait = math.inf
        elif self._parser.receiving:
            wait = limits.receive_timeout
        else:
            wait = limits.idle_timeout
        self.deadline = self._loop.time() + wait / 1000

    def _begin(self, request: Request) -> None:
        if request.reply is not None:
            self._respond(request, request.reply)
            return
        self._busy = True
        task = _start(self._run(request), self._loop)
        if self._busy:
            self._task = task

    async def _run(self, request: Request) -> None:
        body = request.body
        try:
            reply = success(await self._handler.handle_async(body))
        except asyncio.CancelledError:
            if self._lost:
                raise
            # The function cancelled itself; the client still waits.
            reply = failure(body, RuntimeError("the function was cancelled"))
        except Exception as error:  # noqa: BLE001  (this is the boundary: it becomes a status and a log line)
            reply = failure(body, error)
        self._busy = False
        self._task = None
        if not self._lost:
            self._respond(request, reply)
            self._advance()

    def _respond(self, request: Request, reply: HttpReply) -> None:
        keep_alive = request.keep_alive and not self._closing
        head = response_head(reply, self._registry.date, keep_alive=keep_alive)
        self._transport.write(head if request.method == "HEAD" else head + reply.body)
        if keep_alive:
            return
        self._closing = True
        if self._parser.ended and self._transport.can_write_eof():
            # Closing with bytes unread would reset the connection, and the client might never see the answer.
            self._lingering = True
            self._transport.write_eof()
        else:
            self._transport.close()


def response_head(reply: HttpReply, date: bytes, *, keep_alive: bool) -> bytes:
    """The head of a response."""
    return b"%b%d\r\n\r\n" % (_head_start(reply.status, reply.headers, date, keep_alive), len(reply.body))


@lru_cache(maxsize=64)
def _head_start(status: int, headers: tuple[tuple[str, str], ...], date: bytes, keep_alive: bool) -> bytes:
    """All of a head up to the length, which is its last header so that clients can tell a repeated head."""
    connection = b"" if keep_alive else b"connection: close\r\n"
    text = f"HTTP/1.1 {status} {_PHRASES[status]}\r\n"
    for name, value in headers:
        text += f"{name}: {value}\r\n"
    return b"%b%bdate: %b\r\ncontent-length: " % (text.encode("latin-1"), connection, date)


def _start(work: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
    if sys.version_info >= (3, 12):
        # A function that never waits is answered without a turn of the loop.
        return asyncio.Task(work, loop=loop, eager_start=True)
    return loop.create_task(work)
