"""HTTP/1.1 over asyncio's streams: one request at a time on a connection, and connections are used again.

So a call that waits for its reply costs a socket. The blocking client in threads would cost a thread for each, and
bound how many can wait by the size of a pool.
"""

import asyncio
import http.client
import io
import time
from typing import NamedTuple

from statefun.client.exchange import Answer, Broken, Request
from statefun.client.location import IDLE_SECONDS, MAX_ANSWER_BYTES, Location

_MAX_HEAD = 64 << 10


class _Connection(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Idle(NamedTuple):
    connection: _Connection
    since: float


class AsyncConnections:
    """Makes requests, each on a connection of its own while it lasts. Belongs to one event loop."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._idle: list[_Idle] = []

    async def exchange(self, request: Request) -> Answer | Broken:
        """Make a request and read the answer. Raises for nothing that happens on the way but cancellation."""
        try:
            async with asyncio.timeout(request.seconds):
                connection = self._take() or await self._connect()
        except OSError as error:  # TimeoutError is one
            reason = str(error) or f"no connection within {request.seconds:g} s"
            return Broken(f"{self._location.authority} cannot be reached: {reason}", maybe_taken=False)
        try:
            async with asyncio.timeout(request.seconds):
                answer, reusable = await self._on(connection, request)
        except TimeoutError:
            outcome = Broken(
                f"no answer from {self._location.authority} within {request.seconds:g} s", maybe_taken=True
            )
        except (OSError, EOFError, ValueError, http.client.HTTPException) as error:
            outcome = Broken(f"the connection to {self._location.authority} broke: {error!r}", maybe_taken=True)
        except BaseException:
            connection.writer.transport.abort()
            raise
        else:
            if reusable:
                self._idle.append(_Idle(connection, time.monotonic()))
            else:
                connection.writer.close()
            return answer
        connection.writer.transport.abort()
        return outcome

    async def close(self) -> None:
        """Close what is idle."""
        idle, self._idle = self._idle, []
        for entry in idle:
            entry.connection.writer.close()
        await asyncio.gather(*(entry.connection.writer.wait_closed() for entry in idle), return_exceptions=True)

    def _take(self) -> _Connection | None:
        while self._idle:
            connection, since = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and not connection.reader.at_eof():
                return connection
            connection.writer.close()
        return None

    async def _connect(self) -> _Connection:
        location = self._location
        return _Connection(
            *await asyncio.open_connection(location.host, location.port, ssl=location.tls, limit=_MAX_HEAD)
        )

    async def _on(self, connection: _Connection, request: Request) -> tuple[Answer, bool]:
        reader, writer = connection
        writer.write(self._head(request) + request.body)
        await writer.drain()
        status, headers = await _read_head(reader)
        while 100 <= status < 200:
            status, headers = await _read_head(reader)
        body, complete = await _read_body(reader, status, headers)
        return Answer(status, headers, body), complete and headers.get("connection", "").lower() != "close"

    def _head(self, request: Request) -> bytes:
        location = self._location
        headers = {"Host": location.authority, **location.headers, **request.headers}
        headers["Content-Length"] = str(len(request.body))
        lines = [f"{request.method} {location.path}{request.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header must not contain a line break")
        return "\r\n".join((*lines, "", "")).encode("latin-1")


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """The status and the headers, their names in lower case."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise http.client.HTTPException(f"a head of more than {_MAX_HEAD} bytes") from error
    line, _, fields = head.partition(b"\r\n")
    parts = line.split(None, 2)
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/1.") or not parts[1].isdigit() or len(parts[1]) != 3:
        raise http.client.BadStatusLine(repr(line[:80]))
    headers = http.client.parse_headers(io.BytesIO(fields))
    return int(parts[1]), {name.lower(): value for name, value in headers.items()}


async def _read_body(reader: asyncio.StreamReader, status: int, headers: dict[str, str]) -> tuple[bytes, bool]:
    """The body, and whether the connection can be used again."""
    if status in (204, 304):
        return b"", True
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _read_chunks(reader), True
    if "content-length" in headers:
        length = _number(headers["content-length"], 10)
        return await reader.readexactly(_bounded(length)), True
    body = await reader.read(MAX_ANSWER_BYTES + 1)
    while not reader.at_eof():
        body += await reader.read(_bounded(MAX_ANSWER_BYTES + 1 - len(body)))
        _bounded(len(body))
    return body, False


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        size = _number(line.partition(b";")[0].decode("latin-1").strip(), 16)
        if not size:
            break
        _bounded(len(body) + size)
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            raise http.client.HTTPException("a chunk that does not end")
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailers
    return bytes(body)


def _number(text: str, base: int) -> int:
    digits = "0123456789abcdef"[:base]
    if not text or len(text) > 18 or any(character not in digits for character in text.lower()):
        raise http.client.HTTPException(f"{text[:40]!r} is no length")
    return int(text, base)


def _bounded(size: int) -> int:
    if size > MAX_ANSWER_BYTES:
        raise http.client.HTTPException(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
    return size
