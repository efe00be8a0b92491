"""A small HTTP server: what the HTTP ingress, the HTTP egress and the admin server have in common.

Errors are JSON, `{"error": <text>}`. Web pages of other sites are refused, since a browser would let any page send
requests to loopback: by `Sec-Fetch-Site`, by `Origin`, and, for a server bound to loopback, by a `Host` that is not
loopback (a name that was rebound to 127.0.0.1).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import TypeAlias, cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion11, RawRequestMessage
from aiohttp.streams import StreamReader
from yarl import URL

LOOPBACK = "127.0.0.1"
SHUTDOWN_SECONDS = 30.0
"""How long `stop` waits for requests that are being answered."""
BODY_SECONDS = 30.0
"""How long a client may take to send the body of a request."""
LINGER_SECONDS = 1.0
"""How long a client may go on sending a body after it was answered; without it, a reset could overtake the answer."""
_BACKLOG = 1024
"""Connections that wait while the event loop is busy; a client beyond it would try again after seconds."""

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpError(Exception):
    """An answer other than success; `str()` of it is the text for the client."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = headers


class HttpServer:
    """Answers every request with `handler`, which may raise HttpError. Port 0 takes a free one.

    The handler gets a request when its body is here. One longer than `max_body_bytes` is answered with 413, one that is
    not complete after `body_seconds` with 408, and one that is not complete when the server stops with 503.
    """

    def __init__(
        self,
        handler: Handler,
        host: str,
        port: int,
        max_body_bytes: int = 1024 * 1024,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._handler = handler
        self._body_seconds = body_seconds
        self._receiving: set[asyncio.Timeout] = set()
        self._stopping = False
        self._host = host
        self._wanted_port = port
        self._max_body_bytes = max_body_bytes
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError if the address cannot be had."""
        # Without an application there is no router to ask: each server has one handler, which reads the path itself.
        server = web.Server(
            self._answer,
            request_factory=self._request,
            access_log=None,
            lingering_time=LINGER_SECONDS,
        )
        runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._wanted_port, backlog=_BACKLOG).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    @property
    def port(self) -> int:
        """The port in use. Raises RuntimeError before the start and after the stop."""
        if self._runner is None or not self._runner.addresses:
            raise RuntimeError("the server does not listen")
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Take no more requests, finish those that were taken, close all connections. Idempotent."""
        # From now on aiohttp reads no more from its connections: a body that is not here yet will never be.
        self._stopping = True
        for limit in self._receiving:
            limit.reschedule(asyncio.get_running_loop().time())
        if self._runner is not None:
            await self._runner.cleanup()

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.Request:
        loop = asyncio.get_running_loop()
        return web.Request(message, payload, protocol, writer, task, loop, client_max_size=self._max_body_bytes)

    async def _answer(self, taken: web.BaseRequest) -> web.StreamResponse:
        request = cast("web.Request", taken)  # as `_request` made it
        try:
            _refuse_other_sites(request, self._host)
            if "Expect" in request.headers:
                await _continue(request)
            if request.body_exists:
                await self._receive(request)
            return await self._handler(request)
        except HttpError as error:
            return json_error(error.status, str(error), error.headers)
        except web.HTTPException as error:
            return json_error(error.status, error.text or error.reason)

    async def _receive(self, request: web.Request) -> None:
        """Read the body, which then is there for the handler."""
        limit = asyncio.timeout(0 if self._stopping else self._body_seconds)
        try:
            async with limit:
                self._receiving.add(limit)
                await request.read()
        except TimeoutError as error:
            if self._stopping:
                raise HttpError(503, "the server stops", {"Retry-After": "1"}) from error
            raise HttpError(408, f"the body did not come within {self._body_seconds:g} s") from error
        except ConnectionError as error:
            raise HttpError(400, "the client closed the connection before it had sent the body") from error
        finally:
            self._receiving.discard(limit)


async def _continue(request: web.Request) -> None:
    """Tell a client that waits for it that it may send the body."""
    expectation = request.headers["Expect"]
    if request.version < HttpVersion11:
        return
    if expectation.lower() != "100-continue":
        raise HttpError(417, f"this server does not know the expectation {expectation!r}")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # or aiohttp takes the response for begun


def json_error(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": text}, status=status, headers=headers)


def _refuse_other_sites(request: web.Request, bound_to: str) -> None:
    headers = request.headers
    if headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise HttpError(403, "web pages of other sites may not use this server")
    origin = headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise HttpError(403, f"web pages of {origin!r} may not use this server")
    if is_loopback(bound_to) and not _names_loopback(request.host):
        raise HttpError(403, f"this server listens on loopback; use localhost instead of {request.host!r}")


@lru_cache(maxsize=64)
def _names_loopback(authority: str) -> bool:
    return is_loopback(_host_name(authority))


def _host_name(authority: str) -> str:
    try:
        return URL.build(scheme="http", authority=authority).host or ""
    except ValueError:
        return ""


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Whether a host name or an address is that of this machine alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
