"""Serving functions over HTTP: `statefun serve`."""

import asyncio
from email.utils import formatdate

from statefun_runtime.endpoint.listener import ListenAddress, listen
from statefun_runtime.endpoint.server_connection import Handler, ServerConnection, ServerLimits

_TICK = 1.0
"""Seconds between two looks for slow clients, at most."""

_CLOSE_TIMEOUT = 5.0
"""Seconds that aborted sockets get to be gone."""


class FunctionServer:
    """Answers POST requests of any path with `handler`, and `GET /healthz` with 200.

    Status codes are those of the reference SDK's handler (`statefun.http_reply`), and 408, 413 and 431 for requests
    beyond the limits. A request whose client closes its connection is cancelled.
    """

    def __init__(
        self, handler: Handler, address: ListenAddress | None = None, limits: ServerLimits | None = None
    ) -> None:
        """Take the settings; nothing is opened. The default address is port 8000 on loopback."""
        self._handler = handler
        self._address = address or ListenAddress()
        self._limits = limits or ServerLimits()
        self._connections: set[ServerConnection] = set()
        self._server: asyncio.Server | None = None
        self._all_lost = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._port = 0
        self._stopping = False
        self.date = b""
        """The Date header of responses, at most a second old."""

    @property
    def port(self) -> int:
        """The TCP port in use, once started; 0 on a unix socket."""
        return self._port

    async def start(self) -> None:
        """Listen. Raises ConfigError if the address cannot be had."""
        self._server = server = await listen(self._address, self._new_connection)
        if self._address.path is None:
            self._port = int(server.sockets[0].getsockname()[1])
        self._tick()

    async def stop(self, grace: int = 30_000) -> None:
        """Accept nothing more, finish the requests at work within `grace` milliseconds, close all connections."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        if self._timer is not None:
            self._timer.cancel()
        for connection in list(self._connections):
            connection.finish()
        try:
            await self._wait_until_lost(grace / 1000)
        except TimeoutError:
            tasks = [connection.abort() for connection in list(self._connections)]
            await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)
            await self._wait_until_lost(_CLOSE_TIMEOUT)
        if self._server is not None and self._address.path is not None:
            self._address.path.unlink(missing_ok=True)
        self._server = None

    async def _wait_until_lost(self, seconds: float) -> None:
        if self._connections:
            self._all_lost.clear()
            async with asyncio.timeout(seconds):
                await self._all_lost.wait()

    def _new_connection(self) -> ServerConnection:
        return ServerConnection(self._handler, self._limits, self)

    def on_made(self, connection: ServerConnection) -> None:
        self._connections.add(connection)
        if self._stopping:
            connection.finish()

    def on_lost(self, connection: ServerConnection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_lost.set()

    def _tick(self) -> None:
        """Close connections whose client is too slow, and come back. One timer for all connections."""
        self.date = formatdate(usegmt=True).encode("ascii")
        limits = self._limits
        shortest = min(limits.receive_timeout, limits.send_timeout, limits.idle_timeout, limits.linger_timeout) / 1000
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(_TICK, shortest / 4), self._tick)
        now = loop.time()
        for connection in list(self._connections):
            if connection.deadline <= now:
                connection.time_out()
