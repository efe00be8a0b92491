"""The handler answers requests in bytes."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from statefun import (
    Context,
    ContextEndedError,
    Expiration,
    IntType,
    Message,
    ProtocolError,
    Reject,
    RequestReplyHandler,
    RetryLater,
    StatefulFunctions,
    StringType,
    UnknownFunctionError,
    ValueSpec,
    message_builder,
)
from statefun.protocol.request_reply_pb2 import FromFunction, ToFunction
from tests.sdk.calls import TYPENAME, call, handler, nothing, request, typed

HELLO = request(typed(StringType, "hello"))
Expire = FromFunction.ExpirationSpec


@pytest.mark.parametrize(
    ("expiration", "mode", "milliseconds"),
    [
        (Expiration.none(), Expire.NONE, 0),
        (Expiration.after_write(timedelta(minutes=1)), Expire.AFTER_WRITE, 60_000),
        (Expiration.after_call(timedelta(seconds=1)), Expire.AFTER_INVOKE, 1000),
    ],
)
def test_a_request_that_lacks_a_declared_state_is_answered_with_its_spec(
    expiration: Expiration, mode: Expire.ExpireMode, milliseconds: int
) -> None:
    spec = ValueSpec("seen", IntType, expiration=expiration)
    reply = FromFunction.FromString(handler(nothing, spec).handle_sync(HELLO))
    (missing,) = reply.incomplete_invocation_context.missing_values
    assert (missing.state_name, missing.type_typename) == ("seen", IntType.typename)
    assert missing.expiration_spec == Expire(mode=mode, expire_after_millis=milliseconds)


def test_nothing_runs_until_all_declared_states_are_there() -> None:
    specs = [ValueSpec(name, IntType) for name in ("a", "b", "c")]

    def never(context: Context, message: Message) -> None:
        raise AssertionError

    data = request(typed(StringType, "hello"), state={"b": None, "unknown": None})
    reply = FromFunction.FromString(handler(never, *specs).handle_sync(data))
    assert [missing.state_name for missing in reply.incomplete_invocation_context.missing_values] == ["a", "c"]


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x00", ToFunction().SerializeToString(), "text", None, 3])
async def test_what_is_no_request_is_a_protocol_error(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        await handler(nothing).handle_async(data)
    with pytest.raises(ProtocolError):
        handler(nothing).handle_sync(data)


def test_a_batch_without_messages_has_no_effects() -> None:
    assert handler(nothing).handle_sync(request()) == b""


def later(context: Context, message: Message) -> None:
    raise RetryLater(timedelta(seconds=3))


def rejects(context: Context, message: Message) -> None:
    raise Reject("poison")


def fails(context: Context, message: Message) -> None:
    raise LookupError("as it is")


@pytest.mark.parametrize(("function", "error"), [(later, RetryLater), (rejects, Reject), (fails, LookupError)])
async def test_invoking_raises_what_the_function_raised(
    function: Callable[[Context, Message], None], error: type[Exception]
) -> None:
    async def function_async(context: Context, message: Message) -> None:
        function(context, message)

    for each in (function, function_async):
        with pytest.raises(error):
            await handler(each).handle_async(HELLO)


async def test_invoking_raises_on_bad_bytes_unknown_functions_and_failures() -> None:
    with pytest.raises(ProtocolError):
        await handler(nothing).handle_async(b"\xff")
    with pytest.raises(UnknownFunctionError, match=TYPENAME):
        await StatefulFunctions().as_handler().handle_async(HELLO)
    with pytest.raises(LookupError, match="as it is"):
        await handler(fails).handle_async(HELLO)


def test_a_failing_message_fails_the_whole_batch_and_stops_it() -> None:
    started: list[str | None] = []
    contexts: list[Context] = []

    def second_fails(context: Context, message: Message) -> None:
        started.append(message.as_string())
        contexts.append(context)
        context.send(message_builder(TYPENAME, "a", int_value=1))
        if message.as_string() == "second":
            raise LookupError("second")

    messages = tuple(typed(StringType, text) for text in ("first", "second", "third"))
    with pytest.raises(LookupError):
        call(second_fails, messages=messages)
    assert started == ["first", "second"]
    for context in contexts:
        with pytest.raises(ContextEndedError):
            context.send(message_builder(TYPENAME, "a", int_value=1))


async def test_a_batch_runs_in_order_one_message_after_the_other() -> None:
    order: list[str] = []

    async def function(context: Context, message: Message) -> None:
        order.append(f"begin {message.as_string()}")
        await context.create_task(work(message))
        order.append(f"end {message.as_string()}")

    async def work(message: Message) -> None:
        order.append(f"work {message.as_string()}")

    await handler(function).handle_async(request(*[typed(StringType, text) for text in "ab"]))
    assert order == ["begin a", "work a", "end a", "begin b", "work b", "end b"]


async def test_a_plain_function_can_be_called_synchronously_inside_an_event_loop() -> None:
    assert handler(nothing).handle_sync(HELLO) == b""


async def test_an_async_function_cannot_be_called_synchronously_inside_an_event_loop() -> None:
    async def function(context: Context, message: Message) -> None:
        raise AssertionError

    # That it leaves no coroutine behind is seen by pytest, which makes an error of every warning.
    with pytest.raises(RuntimeError, match="running event loop"):
        handler(function).handle_sync(HELLO)


def test_a_handler_needs_functions() -> None:
    with pytest.raises(ValueError, match="missing"):
        RequestReplyHandler(None)  # type: ignore[arg-type]


def test_a_message_knows_its_target_and_is_handed_on_as_it_came() -> None:
    def forwards(context: Context, message: Message) -> None:
        assert (message.target_typename, message.target_id) == (TYPENAME, "me")
        context.send(Message("example/next", "id", message.typed_value))
        context.send(message)

    argument = typed(StringType, "hello")
    argument.metadata.add(key="trace", value=b"t-1", has_value=True)
    first, second = call(forwards, messages=(argument,)).outgoing_messages
    assert (first.target.type, first.argument) == ("next", argument)
    assert (second.target.type, second.target.id, second.argument) == ("function", "me", argument)
