"""The HTTP ingress of the playground: `PUT /<namespace>/<type>/<id>` becomes one message, `POST /batch` many."""

import asyncio
from collections.abc import Mapping, Sequence

from aiohttp import web

from statefun_runtime.errors import IngressError, StoreError
from statefun_runtime.http_server import HttpError, HttpServer
from statefun_runtime.ingress.batch import read_batch
from statefun_runtime.ingress.headers import encode_headers
from statefun_runtime.ingress.request import InvalidRequestError, address_of, payload_of
from statefun_runtime.interfaces import AdapterContext, Arrival, Inlet
from statefun_runtime.module.ingress_spec import PlaygroundIngressSpec

BATCH_PATH = "/batch"
ROOM_SECONDS = 0.5
"""How long a request waits while the runtime wants no more messages. Then the sender is told to come again."""


class HttpIngress:
    """Takes a message by any method, or a batch of them, and answers 202 when all of it is durable.

    Other answers, all with a JSON body: 400 not a message, 408 a body too late, 413 a body over the context's
    `max_request_bytes`, 429 with Retry-After when the runtime is behind, 503 when the message did not become durable.
    It has no positions: a sender without a 202 sends again.
    """

    def __init__(self, spec: PlaygroundIngressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._server = HttpServer(self._take, context.host, spec.port, context.max_request_bytes)

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return self._server.port

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:  # noqa: ARG002  # HTTP has none
        self._inlet = inlet
        try:
            await self._server.start()
        except OSError as error:
            raise IngressError(
                f"ingress {self._spec.id}: port {self._spec.port}: {error.strerror}. Free it, or set another `port`"
            ) from error

    async def run(self) -> None:
        """Wait for ever: the requests come by themselves."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        await self._server.stop()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            arrivals = self._arrivals(request, body)
        except InvalidRequestError as error:
            raise HttpError(400, str(error)) from error
        try:
            epoch = await self._accept(arrivals)
            await self._inlet.durable(epoch)
        except StoreError as error:
            raise HttpError(503, f"the message is not durable: {error}") from error
        self._counts.records += len(arrivals)
        return web.Response(status=202)

    def _arrivals(self, request: web.Request, body: bytes) -> list[Arrival]:
        headers = encode_headers(request.headers) if self._spec.forward_headers else b""
        if request.rel_url.raw_path == BATCH_PATH:
            return [Arrival(target, payload + headers) for target, payload in read_batch(body)]
        target = address_of(request.rel_url.raw_path)
        return [Arrival(target, payload_of(request.headers.get("Content-Type", ""), body) + headers)]

    async def _accept(self, arrivals: Sequence[Arrival]) -> int:
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                await self._inlet.room()
        except TimeoutError as error:
            raise HttpError(429, "too many messages wait already; try again", {"Retry-After": "1"}) from error
        return self._inlet.accept(arrivals)
