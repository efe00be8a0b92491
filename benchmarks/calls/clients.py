"""Clients that make one request after the other on a connection each, at as little cost as possible."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import cast

_END = b"\r\n\r\n"


class Client(asyncio.Protocol):
    """One connection: from `start` on it sends the next request when the last one was answered, until `stop`."""

    _transport: asyncio.Transport

    def __init__(self, make: Callable[[], bytes], status: bytes) -> None:
        """Args: `make` gives the next request; an answer with another status than `status` ends the client."""
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._make = make
        self._head = b"HTTP/1.1 " + status
        self._received = b""
        self._began = 0.0
        self._stopping = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def start(self) -> None:
        """Make the first request."""
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self._make())

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(_END)
        if not found or len(body) < _length(head):
            return
        self._received = b""
        if not head.startswith(self._head):
            self._end(RuntimeError(f"the answer was {head!r} {body!r}"))
            return
        self.latencies.append(time.perf_counter() - self._began)
        if self._stopping:
            self._end(None)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc or ConnectionError("the connection was closed"))

    def stop(self) -> None:
        """Make no request after the one under way."""
        self._stopping = True

    def _end(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None) if error is None else self.done.set_exception(error)
            self._transport.close()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def measure(
    port: int, makes: Sequence[Callable[[], bytes]], status: bytes, seconds: float
) -> tuple[list[float], float]:
    """Run a client for each of `makes`; the latencies of all requests, in seconds, and how long it took.

    All are connected before the first request, since a server takes connections more slowly than it answers requests.
    """
    clients = [await _connect(port, make, status) for make in makes]
    began = time.perf_counter()
    for client in clients:
        client.start()
    await asyncio.wait([client.done for client in clients], timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for client in clients:
        client.stop()
    await asyncio.gather(*(client.done for client in clients))
    return [latency for client in clients for latency in client.latencies], time.perf_counter() - began


async def _connect(port: int, make: Callable[[], bytes], status: bytes) -> Client:
    connect = asyncio.get_running_loop().create_connection
    return (await connect(lambda: Client(make, status), "127.0.0.1", port))[1]
