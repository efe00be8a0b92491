"""Functions that are called over HTTP, TLS or a unix socket."""

from collections import deque
from functools import lru_cache

from google.protobuf.message import EncodeError

from statefun_runtime.clock import Clock, SystemClock
from statefun_runtime.endpoint.codec import encode_batch
from statefun_runtime.endpoint.connection import Call
from statefun_runtime.endpoint.interpret import interpret
from statefun_runtime.endpoint.pool import Pool
from statefun_runtime.endpoint.response import Response
from statefun_runtime.endpoint.route import Route, find_route
from statefun_runtime.endpoint.tls import client_context
from statefun_runtime.interfaces import Batch, Failure, FailureKind, Reply, ReplyTo
from statefun_runtime.module.transport_spec import TransportSpec

_ROUTES = 4096
"""How many function types' routes are remembered. Types come with messages, so there may be any number of them."""


class HttpEndpoint:
    """Calls the functions behind one URL template; implements `interfaces.Endpoint`.

    At most `transport.pool_size` calls are in flight; the others wait in the order they came, and their time starts
    when they are sent. A batch may reach its function more than once, as it may with every retry.
    """

    def __init__(self, url_template: str, transport: TransportSpec, *, clock: Clock | None = None) -> None:
        """Take the settings; nothing is opened.

        Args:
            url_template: The URL of a function, with `{function.name}` where its name belongs.
            transport: Time limits, sizes and certificates.
            clock: The time against which a `Retry-After` date is read; the machine's by default.
        """
        self._url_template = url_template
        self._transport = transport
        self._clock = clock or SystemClock()
        self._pool: Pool | None = None
        self._waiting: deque[Call] = deque()
        self._in_flight = 0
        self._route = lru_cache(maxsize=_ROUTES)(self._find_route)

    async def start(self) -> None:
        """Load the certificates. Raises ModuleError if they cannot be used."""
        secure = self._url_template.startswith("https")
        self._pool = Pool(self._transport, client_context(self._transport) if secure else None, self._done)

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        """Send `batch` to its function, or queue it."""
        if self._pool is None:
            return
        try:
            route = self._route(batch.target[0])
            body = encode_batch(batch)
        except (ValueError, EncodeError) as error:
            reply_to(batch, Failure(FailureKind.PERMANENT, f"the function cannot be called: {error}"))
            return
        call = Call(batch, reply_to, route, b"%b%d\r\n\r\n%b" % (route.head, len(body), body))
        if self._waiting or self._in_flight >= self._transport.pool_size:
            self._waiting.append(call)
        else:
            self._send(call)

    async def stop(self) -> None:
        """Abandon what is in flight or waits, and close all connections."""
        self._waiting.clear()
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.stop()

    def _find_route(self, typename: str) -> Route:
        return find_route(self._url_template, typename)

    def _send(self, call: Call) -> None:
        if self._pool is not None:
            self._in_flight += 1
            self._pool.send(call)

    def _done(self, call: Call, outcome: Response | Failure) -> None:
        # Who waits comes before what the reply sets off.
        self._in_flight -= 1
        if self._waiting:
            self._send(self._waiting.popleft())
        call.reply_to(call.batch, self._reply(call, outcome))

    def _reply(self, call: Call, outcome: Response | Failure) -> Reply:
        if isinstance(outcome, Failure):
            reply: Reply = outcome
        else:
            reply = interpret(outcome, self._transport.payload_max_bytes, self._clock.wall())
        if isinstance(reply, Failure):
            return Failure(reply.kind, f"{call.route.url}: {reply.reason}", reply.retry_after)
        return reply
