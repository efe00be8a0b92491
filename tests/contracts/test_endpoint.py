"""What every endpoint promises to the runtime."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

import pytest

from statefun import (
    Context,
    Message,
    Reject,
    RequestReplyHandler,
    RetryLater,
    StatefulFunctions,
    ValueSpec,
    message_builder,
)
from statefun import StringType as Text
from statefun_runtime.endpoint.http import HttpEndpoint
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.interfaces import Batch, Effects, Endpoint, Failure, FailureKind, Payload, Reply
from statefun_runtime.interfaces import Message as Delivery
from tests.runtime.endpoint.raw_client import served
from tests.runtime.endpoint.scripted_server import settings


class Application:
    """Functions of each kind. `hanging` waits for ever; `began` tells that it does."""

    def __init__(self) -> None:
        self.functions = StatefulFunctions()
        self.began = asyncio.Event()
        specs = [ValueSpec("last", Text)]
        for name, function in (("plain", plain), ("awaiting", awaiting), ("hanging", self.hang)):
            self.functions.bind(f"test/{name}", specs=specs)(function)
        self.functions.bind("test/raising")(raising)
        self.functions.bind("test/cancelling")(cancelling)

    async def hang(self, context: Context, message: Message) -> None:
        self.began.set()
        await asyncio.Event().wait()


def plain(context: Context, message: Message) -> None:
    value = message.as_string() or ""
    context.storage.last = value
    context.send(message_builder(target_typename="test/plain", target_id="next", str_value=value))


async def awaiting(context: Context, message: Message) -> None:
    await asyncio.sleep(0)
    plain(context, message)


def raising(context: Context, message: Message) -> None:
    match message.as_string():
        case "later":
            raise RetryLater(timedelta(seconds=7))
        case "never":
            raise Reject("not this one")
        case _:
            raise LookupError("lost")


async def cancelling(context: Context, message: Message) -> None:
    if message.as_string() == "after a while":
        await asyncio.sleep(0)
    raise asyncio.CancelledError("by itself")


@asynccontextmanager
async def in_process(application: Application) -> AsyncIterator[Endpoint]:
    endpoint = InProcessEndpoint(application.functions, 10)
    await endpoint.start()
    yield endpoint
    await endpoint.stop()


@asynccontextmanager
async def over_http(application: Application) -> AsyncIterator[Endpoint]:
    async with served(RequestReplyHandler(application.functions)) as server:
        endpoint = HttpEndpoint(f"http://127.0.0.1:{server.port}/", settings())
        await endpoint.start()
        yield endpoint
        await endpoint.stop()


ENDPOINTS: dict[str, Callable[[Application], AbstractAsyncContextManager[Endpoint]]] = {
    "in process": in_process,
    "http": over_http,
}


@pytest.fixture(name="application")
async def fresh_application() -> Application:
    return Application()


@pytest.fixture(params=ENDPOINTS, name="endpoint")
async def each_endpoint(request: pytest.FixtureRequest, application: Application) -> AsyncIterator[Endpoint]:
    async with ENDPOINTS[request.param](application) as endpoint:
        yield endpoint


def batch(name: str, *texts: str) -> Batch:
    target = (f"test/{name}", "x")
    messages: list[Delivery] = [(number, target, None, text(value)) for number, value in enumerate(texts, 1)]
    return Batch(target, {} if name in {"raising", "cancelling"} else {"last": None}, messages)


def text(value: str) -> Payload:
    return message_builder(target_typename="test/plain", target_id="x", str_value=value).payload()


class Replies:
    """Takes replies, and lets a test wait for them."""

    def __init__(self) -> None:
        self.taken: list[tuple[Batch, Reply]] = []
        self._changed = asyncio.Event()

    def __call__(self, batch: Batch, reply: Reply) -> None:
        self.taken.append((batch, reply))
        self._changed.set()

    async def wait_for(self, count: int) -> list[tuple[Batch, Reply]]:
        while len(self.taken) < count:
            self._changed.clear()
            await self._changed.wait()
        return self.taken


async def call(endpoint: Endpoint, to_call: Batch) -> Reply:
    replies = Replies()
    endpoint.invoke(to_call, replies)
    [(answered, reply)] = await replies.wait_for(1)
    assert answered is to_call
    return reply


def sent(effects: Effects) -> Sequence[Payload]:
    return [send.payload for send in effects.sends]


@pytest.mark.parametrize("name", ["plain", "awaiting"])
async def test_the_effects_of_a_batch_come_in_the_order_of_its_messages(endpoint: Endpoint, name: str) -> None:
    effects = await call(endpoint, batch(name, "1", "2", "3"))
    assert isinstance(effects, Effects)
    assert sent(effects) == [text("1"), text("2"), text("3")]
    assert effects.mutations == {"last": text("3")}


async def test_each_batch_is_answered_once(endpoint: Endpoint) -> None:
    replies = Replies()
    batches = [batch(name, str(number)) for number in range(20) for name in ("plain", "awaiting")]
    for each in batches:
        endpoint.invoke(each, replies)
    taken = await replies.wait_for(len(batches))
    assert {id(answered) for answered, _ in taken} == {id(each) for each in batches}
    assert len(taken) == len(batches)


@pytest.mark.parametrize(
    ("message", "kind", "retry_after", "reason"),
    [
        ("other", FailureKind.TRANSIENT, None, "LookupError"),
        ("later", FailureKind.TRANSIENT, 7000, "RetryLater"),
        ("never", FailureKind.PERMANENT, None, "not this one"),
    ],
)
async def test_what_a_function_raises_becomes_a_failure(
    endpoint: Endpoint, message: str, kind: FailureKind, retry_after: int | None, reason: str
) -> None:
    failure = await call(endpoint, batch("raising", message))
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.retry_after) == (kind, retry_after)
    assert reason in failure.reason


@pytest.mark.parametrize("when", ["at once", "after a while"])
async def test_a_function_that_cancels_itself_fails_and_the_others_go_on(endpoint: Endpoint, when: str) -> None:
    failure = await call(endpoint, batch("cancelling", when))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.TRANSIENT
    effects = await call(endpoint, batch("awaiting", "1"))
    assert isinstance(effects, Effects)


async def test_after_stop_nothing_is_answered_neither_what_was_in_flight_nor_what_comes_later(
    endpoint: Endpoint, application: Application
) -> None:
    replies = Replies()
    endpoint.invoke(batch("hanging", "1"), replies)
    await application.began.wait()
    await endpoint.stop()
    for name in ("plain", "awaiting"):
        endpoint.invoke(batch(name, "2"), replies)
    for _ in range(10):
        await asyncio.sleep(0)
    assert replies.taken == []


async def test_an_endpoint_can_be_stopped_twice(endpoint: Endpoint) -> None:
    await endpoint.stop()
