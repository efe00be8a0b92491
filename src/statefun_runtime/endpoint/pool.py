"""The connections of one endpoint: opened when needed, kept for a while, given up when a call takes too long."""

import asyncio
import errno
import math
import ssl
from collections.abc import Callable
from typing import Any

from statefun_runtime.endpoint.connection import Call, Connection
from statefun_runtime.endpoint.response import Response, ResponseError
from statefun_runtime.endpoint.route import Origin
from statefun_runtime.interfaces import Failure, FailureKind
from statefun_runtime.module.transport_spec import TransportSpec

# This side has run out of something; it says nothing about the other.
_LOCAL_ERRORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})

_CLOSE_TIMEOUT = 5.0
"""Seconds that aborted sockets get to be gone."""


class Pool:
    """Sends calls, each on a connection of its own, and tells `on_done` once how each ended."""

    def __init__(
        self,
        settings: TransportSpec,
        tls: ssl.SSLContext | None,
        on_done: Callable[[Call, Response | Failure], None],
    ) -> None:
        self._settings = settings
        self._tls = tls
        self._on_done = on_done
        self._loop = asyncio.get_running_loop()
        self._idle: dict[Origin, list[Connection]] = {}
        self._connections: set[Connection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._all_lost = asyncio.Event()
        self._stopped = False

    def send(self, call: Call) -> None:
        """Send `call`; its time starts now."""
        call.deadline = self._loop.time() + self._settings.call_timeout / 1000
        idle = self._idle.get(call.route.origin)
        while idle:
            connection = idle.pop()
            if connection.usable:
                self._send_on(connection, call)
                return
        self._open(call)

    async def stop(self) -> None:
        """Close everything. No call ends after this is called."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._connecting:
            task.cancel()
        if self._connecting:
            await asyncio.wait(self._connecting)
        for connection in self._connections:
            connection.close()
        if self._connections:
            self._all_lost.clear()
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._all_lost.wait()

    def _done(self, call: Call, outcome: Response | Failure) -> None:
        if not self._stopped:
            self._on_done(call, outcome)

    def _send_on(self, connection: Connection, call: Call) -> None:
        connection.send(call)
        if connection.deadline < self._timer_at:
            self._set_timer(connection.deadline)

    # ---------------------------------------------------------------------------------------------------------- opening

    def _open(self, call: Call) -> None:
        task = self._loop.create_task(self._connect(call))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, call: Call) -> None:
        connect_timeout = self._settings.connect_timeout / 1000
        try:
            async with asyncio.timeout_at(min(call.deadline, self._loop.time() + connect_timeout)):
                connection = await self._connection_to(call.route.origin)
        except TimeoutError:
            reason = f"cannot connect to {call.route.origin} within the time limit"
            self._done(call, Failure(FailureKind.UNREACHABLE, reason))
        except (OSError, UnicodeError) as error:
            ours = isinstance(error, OSError) and error.errno in _LOCAL_ERRORS
            kind = FailureKind.TRANSIENT if ours else FailureKind.UNREACHABLE
            self._done(call, Failure(kind, f"cannot connect to {call.route.origin}: {error}"))
        else:
            if connection.usable:
                self._send_on(connection, call)
            else:
                self._done(call, Failure(FailureKind.TRANSIENT, f"{call.route.origin} closed a new connection at once"))

    async def _connection_to(self, origin: Origin) -> Connection:
        # A server name may only be given with TLS.
        tls: dict[str, Any] = {"ssl": self._tls, "server_hostname": origin.host} if origin.secure else {}
        if origin.socket is not None:
            _, connection = await self._loop.create_unix_connection(self._new_connection, origin.socket, **tls)
        else:
            _, connection = await self._loop.create_connection(self._new_connection, origin.host, origin.port, **tls)
        return connection

    def _new_connection(self) -> Connection:
        return Connection(self, self._settings, self._loop)

    # ---------------------------------------------------------------------------------------- callbacks of connections

    def on_made(self, connection: Connection) -> None:
        self._connections.add(connection)

    def on_response(self, connection: Connection, call: Call, response: Response) -> None:
        if connection.usable:
            self._keep(connection, call.route.origin)
        self._done(call, response)

    def on_broken(self, call: Call, error: ResponseError, *, stale: bool) -> None:
        if stale and not call.retried and not self._stopped:
            # The server closed the connection while the request was on its way. The other idle ones are no younger.
            call.retried = True
            self._open(call)
        else:
            self._done(call, Failure(error.kind, error.reason))

    def on_lost(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_lost.set()

    # ------------------------------------------------------------------------------------------------------------- time

    def _keep(self, connection: Connection, origin: Origin) -> None:
        connection.idle_since = self._loop.time()
        self._idle.setdefault(origin, []).append(connection)
        expiry = connection.idle_since + self._settings.pool_ttl / 1000
        if expiry < self._timer_at:
            self._set_timer(expiry)

    def _set_timer(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = when
        self._timer = self._loop.call_at(when, self._sweep)

    def _sweep(self) -> None:
        """Give up calls and connections whose time is over, and come back when the next one is due.

        One timer for all: a timer for each call would cost more than sending it.
        """
        self._timer, self._timer_at = None, math.inf
        now = self._loop.time()
        earliest = self._close_expired(now)
        for connection in list(self._connections):
            if connection.deadline <= now:
                connection.give_up("no complete reply came within the time limit")
            else:
                earliest = min(earliest, connection.deadline)
        if earliest < self._timer_at and not self._stopped:
            self._set_timer(earliest)

    def _close_expired(self, now: float) -> float:
        """Close connections that were idle for too long; return when the next one is due."""
        ttl = self._settings.pool_ttl / 1000
        earliest = math.inf
        for origin, idle in list(self._idle.items()):
            kept: list[Connection] = []
            for connection in idle:
                if not connection.usable or connection.idle_since + ttl <= now:
                    connection.close()
                else:
                    kept.append(connection)
                    earliest = min(earliest, connection.idle_since + ttl)
            if kept:
                self._idle[origin] = kept
            else:
                del self._idle[origin]
        return earliest
