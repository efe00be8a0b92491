"""The HTTP ingress of the playground: `PUT /<namespace>/<type>/<id>` becomes one message, `POST /batch` many.

`POST /<namespace>/<type>/<id>/call` waits for what the function replies.
"""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from aiohttp import web

from statefun_runtime.errors import IngressError, StoreError
from statefun_runtime.http_server import HttpError, HttpServer
from statefun_runtime.ingress.batch import read_batch
from statefun_runtime.ingress.headers import encode_headers
from statefun_runtime.ingress.http_requests import BATCH_PATH, TRY_LATER, HttpRequests, called_path, request_of
from statefun_runtime.ingress.request import InvalidRequestError, address_of, payload_of
from statefun_runtime.interfaces import AdapterContext, Arrival, Inlet
from statefun_runtime.module.ingress_spec import PlaygroundIngressSpec

ROOM_SECONDS = 0.5
"""How long a request waits while the runtime wants no more messages. Then the sender is told to come again."""


class HttpIngress:
    """Takes a message by any method, or a batch of them, and answers 202 when all of it is durable.

    A call is answered with the reply, and a request with a key by what became of the first one with it.

    Other answers, all with a JSON body: 400 not a message, 408 a body too late, 413 a body over the context's
    `max_request_bytes`, 429 with Retry-After when the runtime is behind, 503 when the message did not become durable.
    It has no positions: a sender without a 202 sends again.
    """

    def __init__(self, spec: PlaygroundIngressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._requests = HttpRequests(context)
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
        called = called_path(request)
        seconds = None if called is None else self._requests.check_call(request)
        try:
            arrivals = self._arrivals(request, called or request.rel_url.raw_path, body)
        except InvalidRequestError as error:
            raise HttpError(400, str(error)) from error
        asked = request_of(request, body, arrivals, awaits_reply=called is not None)
        try:
            await self._room(arrivals)
            if seconds is None and asked.key is None:
                await self._inlet.durable(self._inlet.accept(arrivals))
                response = web.Response(status=HTTPStatus.ACCEPTED)
            else:
                response = await self._requests.ask(asked, seconds)
        except StoreError as error:
            raise HttpError(503, f"the message is not durable: {error}", TRY_LATER) from error
        self._counts.records += len(arrivals)
        return response

    def _arrivals(self, request: web.Request, path: str, body: bytes) -> list[Arrival]:
        headers = encode_headers(request.headers) if self._spec.forward_headers else b""
        if path == BATCH_PATH:
            return [Arrival(target, payload + headers) for target, payload in read_batch(body)]
        payload = payload_of(request.headers.get("Content-Type", ""), body)
        return [Arrival(address_of(path), payload + headers)]

    async def _room(self, arrivals: Sequence[Arrival]) -> None:
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                await self._inlet.room({arrival.target[0] for arrival in arrivals})
        except TimeoutError as error:
            raise HttpError(429, "too many messages wait already; try again", TRY_LATER) from error
