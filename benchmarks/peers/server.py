"""The measured functions behind an ASGI application, the same under each SDK: which one depends on the environment.

`uvicorn --factory server:served` runs it: a POST is a request of the StateFun protocol, a GET tells how many messages
the functions were called with so far. The variable PEERS_TOPIC names the topic that `relay` writes to.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from statefun import (
    Context,
    IntType,
    Message,
    RequestReplyHandler,
    StatefulFunctions,
    ValueSpec,
    kafka_egress_message,
)


class Calls:
    """How many messages the functions were called with."""

    def __init__(self) -> None:
        self.count = 0


def functions_of(calls: Calls, topic: str) -> StatefulFunctions:
    """Both count in an int of state for each address; `relay` sends the message on to a topic of Kafka, too."""
    functions = StatefulFunctions()

    @functions.bind(typename="peers/counter", specs=[ValueSpec(name="count", type=IntType)])
    async def counter(context: Context, message: Message) -> None:  # noqa: ARG001  its signature is the SDK's
        calls.count += 1
        context.storage.count = (context.storage.count or 0) + 1

    @functions.bind(typename="peers/relay", specs=[ValueSpec(name="count", type=IntType)])
    async def relay(context: Context, message: Message) -> None:
        calls.count += 1
        context.storage.count = (context.storage.count or 0) + 1
        value = message.raw_value() or b""
        context.send_egress(
            kafka_egress_message(typename="peers/out", topic=topic, key=context.address.id, value=value)
        )

    return functions


class Server:
    """The ASGI application."""

    def __init__(self, topic: str) -> None:
        self._calls = Calls()
        self._handler = RequestReplyHandler(functions_of(self._calls, topic))

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["method"] == "GET":
            answer = b"%d" % self._calls.count
        else:
            answer = await self._handler.handle_async(await _body(receive))
        headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


async def _body(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes:
    event = await receive()
    body: bytes = event.get("body", b"")
    while event.get("more_body", False):
        event = await receive()
        body += event.get("body", b"")
    return body


def served() -> Server:
    return Server(os.environ["PEERS_TOPIC"])
