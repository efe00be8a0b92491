"""A process of its own that hosts functions, as the runtime sees it.

The runtime and the worker hold the two ends of a control socket. The worker says on it what it hosts, as a line of
JSON; when the runtime's end closes, whatever became of the runtime, the worker ends.
"""

import asyncio
import json
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from statefun_runtime.endpoint.http import HttpEndpoint
from statefun_runtime.errors import ModuleError
from statefun_runtime.interfaces import Batch, Failure, FailureKind, Reply, ReplyTo
from statefun_runtime.module.transport_spec import TransportSpec

_HELLO_BYTES = 1 << 20
_CHUNK = 1 << 16


class Worker:
    """One worker, from its start to its end; it is not started again."""

    def __init__(self, command: Sequence[str], socket_path: Path, transport: TransportSpec) -> None:
        """Take the settings.

        Args:
            command: Starts a worker; the path of its socket and the number of its control socket are added.
            socket_path: Where it is to listen.
            transport: Of the calls to it.
        """
        self._command = command
        self._socket_path = socket_path
        self._http = HttpEndpoint(f"http+unix://{socket_path}/", transport)
        self._calls: dict[int, tuple[Batch, ReplyTo]] = {}
        """Those under way."""
        self._idle = asyncio.Event()
        self.functions: Mapping[str, str] = {}
        """By typename, where each function that it hosts is written; known once it has started."""

    async def start(self) -> None:
        """Start it and wait until it serves.

        Raises:
            ModuleError: It ended before that; the text says why.
        """
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        with theirs:
            arguments = (*self._command, str(self._socket_path), str(theirs.fileno()))
            # In a session of its own: Ctrl-C is for the runtime, which stops its workers when their calls are done.
            self._process = await asyncio.create_subprocess_exec(
                *arguments, stdin=asyncio.subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True
            )
        try:
            await self._hello()
        except BaseException:
            await self.kill()
            raise
        await self._http.start()

    async def _hello(self) -> None:
        loop, received = asyncio.get_running_loop(), b""
        while not received.endswith(b"\n"):
            chunk = await loop.sock_recv(self._control, _CHUNK)
            received += chunk
            if not chunk or len(received) > _HELLO_BYTES:
                raise ModuleError(f"a worker {_ending(await self._process.wait())} before it served")
        hello = cast("dict[str, object]", json.loads(received))
        if "error" in hello:
            raise ModuleError(str(hello["error"]))
        self.functions = cast("dict[str, str]", hello["functions"])

    @property
    def pid(self) -> int:
        return self._process.pid

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        """As `Endpoint.invoke`."""
        self._calls[id(batch)] = (batch, reply_to)
        self._http.invoke(batch, self._answered)

    def _answered(self, batch: Batch, reply: Reply) -> None:
        _, reply_to = self._calls.pop(id(batch))
        if not self._calls:
            self._idle.set()
        reply_to(batch, reply)

    @property
    def in_flight(self) -> int:
        """How many calls are under way."""
        return len(self._calls)

    async def ended(self) -> str:
        """Wait for its end; how it ended, for people. What is under way then is for `fail`."""
        return _ending(await self._process.wait())

    async def finished(self, seconds: float) -> None:
        """Wait until all calls are answered. Raises TimeoutError after so many seconds."""
        self._idle.clear()
        if self._calls:
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    async def fail(self, reason: str) -> None:
        """End it; the calls under way fail and will be made again. Nobody may call it from then on."""
        await self.kill()
        calls, self._calls = list(self._calls.values()), {}
        for batch, reply_to in calls:
            reply_to(batch, Failure(FailureKind.TRANSIENT, reason))

    async def kill(self) -> None:
        """End it; nobody is told of the calls under way. Idempotent."""
        await self._http.stop()
        self._control.close()
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._socket_path.unlink(missing_ok=True)


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
