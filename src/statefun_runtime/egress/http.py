"""The HTTP egress of the playground: `GET /<topic>` takes the next message of a topic."""

import asyncio
import logging
from urllib.parse import unquote

from aiohttp import web

from statefun_runtime.egress.playground_record import InvalidRecordError, decode_record
from statefun_runtime.egress.topics import Topics
from statefun_runtime.errors import EgressError
from statefun_runtime.http_server import HttpServer, json_error
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Outlet, Payload
from statefun_runtime.module.egress_spec import PlaygroundEgressSpec

_log = logging.getLogger(__name__)


class HttpEgress:
    """Keeps messages until they are taken, each at least once; the runtime bounds how many it is handed.

    An epoch is released when all its messages, and those of the epochs before it, were written out as responses. So a
    topic that nobody reads keeps the outbox from shrinking, and after a restart what had been taken behind it comes
    again. A record that can never be taken (of another type, or for a topic that is not listed) is rejected: logged
    with its reason and counted.

    Answers: 200 with the payload; 404 if no message waits; 405 for an unlisted topic or another method. The status is
    also in the header `Status`, where the playground's clients look for it.
    """

    def __init__(self, spec: PlaygroundEgressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._topics = Topics()
        self._server = HttpServer(self._give, context.host, spec.port)

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return self._server.port

    async def start(self, outlet: Outlet, position: bytes | None) -> None:  # noqa: ARG002  # HTTP has none
        self._outlet = outlet
        try:
            await self._server.start()
        except OSError as error:
            raise EgressError(
                f"egress {self._spec.id}: port {self._spec.port}: {error.strerror}. Free it, or set another `port`"
            ) from error

    async def run(self) -> None:
        """Wait for ever: nothing can go wrong between two requests."""
        await asyncio.Event().wait()

    def write(self, batch: OutboxBatch) -> None:
        self._topics.add(batch.epoch, self._messages(batch))
        self._release()

    async def stop(self) -> None:
        """Finish the responses under way. What was not taken stays in the outbox."""
        await self._server.stop()

    def _messages(self, batch: OutboxBatch) -> list[tuple[str, bytes]]:
        messages: list[tuple[str, bytes]] = []
        for payload in batch.records:
            try:
                messages.append(self._message(payload))
            except InvalidRecordError as error:
                self._counts.rejected += 1
                _log.error("egress %s: epoch %d: rejected, a record %s", self._spec.id, batch.epoch, error)
        return messages

    def _message(self, payload: Payload) -> tuple[str, bytes]:
        topic, body = decode_record(payload)
        if not self._is_known(topic):
            raise InvalidRecordError(f"is for topic {topic!r}, which the module does not list")
        return topic, body

    async def _give(self, request: web.Request) -> web.StreamResponse:
        topic = unquote(request.rel_url.raw_path[1:])
        if request.method != "GET":
            return json_error(405, "only GET takes a message", {"Status": "405", "Allow": "GET"})
        if not self._is_known(topic):
            return json_error(405, f"there is no topic {topic!r}", {"Status": "405", "Allow": ""})
        message = self._topics.take(topic)
        if message is None:
            return json_error(404, f"no message waits at {topic!r}", {"Status": "404"})
        response = web.Response(
            body=message.body, content_type="text/plain", charset="utf-8", headers={"Status": "200"}
        )
        try:
            await response.prepare(request)
            await response.write_eof()
        except BaseException:
            self._topics.put_back(message)
            raise
        self._counts.records += 1
        self._topics.delivered(message)
        self._release()
        return response

    def _is_known(self, topic: str) -> bool:
        return not self._spec.topics or topic in self._spec.topics

    def _release(self) -> None:
        epoch = self._topics.done()
        if epoch is not None:
            self._outlet.released(epoch)
