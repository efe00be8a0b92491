"""A connection to a function's server: one request at a time, one response to each."""

import asyncio
import math
from typing import Protocol, cast

from statefun_runtime.endpoint.response import Response, ResponseError, ResponseParser
from statefun_runtime.endpoint.route import Route
from statefun_runtime.interfaces import Batch, ReplyTo
from statefun_runtime.module.transport_spec import TransportSpec


class Call:
    """A request on its way. `deadline` is in the loop's time."""

    __slots__ = ("batch", "deadline", "reply_to", "request", "retried", "route")

    def __init__(self, batch: Batch, reply_to: ReplyTo, route: Route, request: bytes) -> None:
        self.batch = batch
        self.reply_to = reply_to
        self.route = route
        self.request = request
        self.deadline = math.inf
        self.retried = False
        """Whether it was sent a second time, since its first connection was closed just then."""


class ConnectionOwner(Protocol):
    """Who keeps connections. It is told nothing while a parser is at work, so it may use the connection at once."""

    def on_made(self, connection: "Connection") -> None:
        """A connection is open."""

    def on_response(self, connection: "Connection", call: Call, response: Response) -> None:
        """The call was answered; the connection is usable for the next one, or closed."""

    def on_broken(self, call: Call, error: ResponseError, *, stale: bool) -> None:
        """The call will not be answered. `stale`: its connection had been idle, and closed before any answer."""

    def on_lost(self, connection: "Connection") -> None:
        """The last word of a connection: its socket is closed."""


class Connection(asyncio.Protocol):
    """The asyncio side of a connection."""

    _transport: asyncio.Transport

    def __init__(self, owner: ConnectionOwner, settings: TransportSpec, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._loop = loop
        self._parser = ResponseParser(settings.payload_max_bytes)
        self._read_timeout = _seconds(settings.read_timeout)
        self._write_timeout = _seconds(settings.write_timeout)
        self._call: Call | None = None
        self._used = False
        self._open = False
        self._quiet_until = math.inf
        self.idle_since = 0.0

    @property
    def usable(self) -> bool:
        """Whether a request may be sent now."""
        return self._open and self._call is None

    @property
    def deadline(self) -> float:
        """When the call is given up if nothing happens; infinity without a call."""
        return math.inf if self._call is None else min(self._call.deadline, self._quiet_until)

    def send(self, call: Call) -> None:
        """Send the request of `call`. Only for a usable connection."""
        self._call = call
        self._parser.expect()
        if self._read_timeout is not math.inf:
            self._quiet_until = self._loop.time() + self._read_timeout
        self._transport.write(call.request)

    def give_up(self, reason: str) -> None:
        """Close the connection and report its call as failed."""
        self._break(reason)

    def close(self) -> None:
        """Close at once, without a word about the call."""
        self._call = None
        self._parser.close()
        if self._open:
            self._open = False
            self._transport.abort()

    def _break(self, reason: str, *, closed_by_peer: bool = False) -> None:
        self._fail(ResponseError(reason), stale=closed_by_peer and self._used and not self._parser.started)

    def _fail(self, error: ResponseError, *, stale: bool = False) -> None:
        call = self._call
        self.close()
        if call is not None:
            self._owner.on_broken(call, error, stale=stale)

    # --------------------------------------------------------------------------------------------- callbacks of asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._open = True
        self._owner.on_made(self)

    def data_received(self, data: bytes) -> None:
        call = self._call
        if call is None:
            # Nothing was asked: what comes now (a 408 of an idle server, garbage) must not answer the next request.
            self.close()
            return
        if self._read_timeout is not math.inf:
            self._quiet_until = self._loop.time() + self._read_timeout
        try:
            response = self._parser.feed(data)
        except ResponseError as error:
            self._fail(error)
            return
        if response is not None:
            self._finish(call, response)

    def _finish(self, call: Call, response: Response) -> None:
        self._call = None
        self._used = True
        # A server that answers before it has read the whole request would take the rest of it for the next one.
        if not response.keep_alive or self._transport.get_write_buffer_size():
            self.close()
        self._owner.on_response(self, call, response)

    def pause_writing(self) -> None:
        self._quiet_until = self._loop.time() + self._write_timeout

    def resume_writing(self) -> None:
        self._quiet_until = self._loop.time() + self._read_timeout

    def eof_received(self) -> None:
        self._break("the server closed the connection before its reply was complete", closed_by_peer=True)

    def connection_lost(self, exc: Exception | None) -> None:
        self._break(f"the connection broke before the reply was complete: {exc}", closed_by_peer=True)
        self._owner.on_lost(self)


def _seconds(milliseconds: int | None) -> float:
    return math.inf if milliseconds is None else milliseconds / 1000
