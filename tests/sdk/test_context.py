"""What a function can do through its context, and how long."""

import asyncio
import contextlib
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta

import pytest

from statefun import (
    Address,
    CancellationToken,
    Context,
    ContextEndedError,
    GenericEgressBuilder,
    IntType,
    Message,
    MessageBuilder,
    RegistrationError,
    StringType,
    ValueSpec,
    egress_message_builder,
    message_builder,
)
from statefun.protocol.request_reply_pb2 import FromFunction
from tests.sdk.calls import TYPENAME, call, handler, request, typed

TARGET = "example/other"


def test_self_and_caller_are_addresses_and_an_ingress_is_no_caller() -> None:
    seen: list[Address | None] = []

    def function(context: Context, message: Message) -> None:
        seen.extend([context.address, context.caller])

    call(function)
    call(function, caller="bob")
    assert seen == [Address(TYPENAME, "me"), None, Address(TYPENAME, "me"), Address(TYPENAME, "bob")]


def test_a_sent_message_is_in_the_reply() -> None:
    def function(context: Context, message: Message) -> None:
        context.send(message_builder(TARGET, "a", int_value=1))
        context.send(MessageBuilder(Address(TARGET, "b"), "text"))

    first, second = call(function).outgoing_messages
    assert (first.target.namespace, first.target.type, first.target.id) == ("example", "other", "a")
    assert first.argument == typed(IntType, 1)
    assert (second.target.id, second.argument) == ("b", typed(StringType, "text"))


def test_a_delayed_message_has_its_delay_and_token() -> None:
    def function(context: Context, message: Message) -> None:
        later = message_builder(TARGET, "a", int_value=1)
        context.send_after(timedelta(minutes=1), later)
        context.send_after(timedelta(0), later, cancellation_token="")
        context.send_after(timedelta(milliseconds=5), later, CancellationToken("t"))

        context.send_after(timedelta(milliseconds=1.9), MessageBuilder(Address(TARGET, "b"), "text"), "text")
        context.send_after(timedelta(days=100_000), later, None)

    delayed = call(function).delayed_invocations
    assert [(d.delay_in_ms, d.cancellation_token) for d in delayed] == [
        (60_000, ""),
        (0, ""),
        (5, "t"),
        (1, "text"),
        (8_640_000_000_000, ""),
    ]
    assert (delayed[3].target.id, delayed[3].argument) == ("b", typed(StringType, "text"))


def test_a_negative_delay_and_an_empty_token_to_cancel_are_errors() -> None:
    def negative(context: Context, message: Message) -> None:
        context.send_after(timedelta(seconds=-1), message)

    def empty(context: Context, message: Message) -> None:
        context.cancel_delayed_message("")

    for function in (negative, empty):
        with pytest.raises(ValueError, match=r"\S"):
            call(function)


@pytest.mark.parametrize("token", ["t", CancellationToken("t")])
def test_a_cancellation_names_the_token(token: CancellationToken | str) -> None:
    def function(context: Context, message: Message) -> None:
        context.cancel_delayed_message(token)

    (cancelled,) = call(function).delayed_invocations
    assert (cancelled.is_cancellation_request, cancelled.cancellation_token) == (True, "t")


def test_an_egress_record_names_its_egress() -> None:
    def function(context: Context, message: Message) -> None:
        context.send_egress(egress_message_builder("example/out", "v", StringType))
        context.send_egress(GenericEgressBuilder("example/of/out", "w", StringType, headers={"trace": b"t-1"}))

    first, second = call(function).outgoing_egresses
    assert (first.egress_namespace, first.egress_type, first.argument) == ("example", "out", typed(StringType, "v"))
    assert (second.egress_namespace, second.egress_type) == ("example/of", "out")
    assert (second.argument.metadata[0].key, second.argument.metadata[0].value) == ("trace", b"t-1")


def test_a_context_that_was_kept_raises_after_its_message() -> None:
    kept: list[Context] = []

    def function(context: Context, message: Message) -> None:
        kept.append(context)

    call(function, ValueSpec("seen", IntType))
    message = message_builder(TARGET, "a", int_value=1)
    uses: list[Callable[[Context], object]] = [
        lambda context: context.address,
        lambda context: context.storage,
        lambda context: context.caller,
        lambda context: context.send(message),
        lambda context: context.send_after(timedelta(0), message),
        lambda context: context.cancel_delayed_message("t"),
        lambda context: context.send_egress(egress_message_builder("example/out", "v", StringType)),
    ]
    for context in (kept[0], kept[0].derive(trace="t-1")):
        for use in uses:
            with pytest.raises(ContextEndedError, match="create_task"):
                use(context)


def test_what_is_no_message_is_refused_where_it_is_sent() -> None:
    def sends(context: Context, message: Message) -> None:
        context.send("text")  # type: ignore[arg-type]

    def sends_after(context: Context, message: Message) -> None:
        context.send_after(timedelta(0), egress_message_builder("example/out", "v", StringType))  # type: ignore[arg-type]

    def sends_egress(context: Context, message: Message) -> None:
        context.send_egress(message)  # type: ignore[arg-type]

    for function in (sends, sends_after, sends_egress):
        with pytest.raises(TypeError, match=r"expected an? (Egress)?Message"):
            call(function)


def test_a_message_to_what_is_no_typename_is_refused_where_it_is_sent() -> None:
    def function(context: Context, message: Message) -> None:
        context.send(Message("/nowhere", "id", message.typed_value))

    with pytest.raises(ValueError, match="namespace before"):
        call(function)


async def test_tasks_of_a_message_end_with_it() -> None:
    tasks: list[asyncio.Task[None]] = []

    async def forever() -> None:
        await asyncio.Event().wait()

    async def function(context: Context, message: Message) -> None:
        tasks.append(context.create_task(forever()))
        await asyncio.sleep(0)

    await handler(function).handle_async(request(typed(StringType, "hello")))
    assert tasks[0].cancelled()


async def test_a_failing_task_fails_the_message_even_if_nobody_awaits_it() -> None:
    started: list[str | None] = []

    async def fails() -> None:
        raise LookupError("in a task")

    async def function(context: Context, message: Message) -> None:
        started.append(message.as_string())
        context.send(message_builder(TARGET, "a", int_value=1))
        context.create_task(fails(), name="the failing one")
        await asyncio.sleep(0)

    two = request(typed(StringType, "first"), typed(StringType, "second"))
    with pytest.raises(LookupError, match="in a task"):
        await handler(function).handle_async(two)
    assert started == ["first"]


async def test_a_failing_task_does_not_leave_the_other_tasks_behind() -> None:
    tasks: list[asyncio.Task[None]] = []

    async def fails() -> None:
        raise LookupError("in a task")

    async def forever() -> None:
        await asyncio.Event().wait()

    async def function(context: Context, message: Message) -> None:
        tasks.append(context.create_task(forever()))
        tasks.append(context.create_task(fails()))
        await asyncio.sleep(0)

    with pytest.raises(LookupError):
        await handler(function).handle_async(request(typed(StringType, "hello")))
    assert [task.cancelled() for task in tasks] == [True, False]


async def test_a_task_that_fails_while_it_is_cancelled_fails_the_message() -> None:
    async def fails_at_the_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError("while it was cancelled")

    async def function(context: Context, message: Message) -> None:
        context.create_task(fails_at_the_end())
        await asyncio.sleep(0)

    with pytest.raises(LookupError, match="while it was cancelled"):
        await handler(function).handle_async(request(typed(StringType, "hello")))


async def test_the_functions_own_failure_counts_before_that_of_its_tasks() -> None:
    async def fails() -> None:
        raise LookupError("in a task")

    async def function(context: Context, message: Message) -> None:
        context.create_task(fails())
        await asyncio.sleep(0)
        raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        await handler(function).handle_async(request(typed(StringType, "hello")))


async def test_a_task_that_the_function_awaits_gives_its_result_and_may_fail_softly() -> None:
    async def adds(number: int) -> int:
        return number + 1

    async def fails() -> int:
        raise LookupError("in a task")

    async def function(context: Context, message: Message) -> None:
        failing = context.create_task(fails())
        await asyncio.wait([failing])
        context.send(message_builder(TARGET, "a", int_value=await context.create_task(adds(1))))

    # The function looked at no result of the failing task; as in a TaskGroup that does not make it good.
    with pytest.raises(LookupError):
        await handler(function).handle_async(request(typed(StringType, "hello")))


async def test_a_task_may_use_the_context_until_the_message_ends_and_not_while_it_is_wound_up_later() -> None:
    late: list[BaseException] = []
    finished = asyncio.Event()

    async def outlives(context: Context) -> None:
        await finished.wait()
        try:
            context.send(message_builder(TARGET, "late", int_value=2))
        except ContextEndedError as error:
            late.append(error)

    async def works(context: Context) -> None:
        context.storage.seen = 1
        context.send(message_builder(TARGET, "early", int_value=1))

    background: list[asyncio.Task[None]] = []

    async def function(context: Context, message: Message) -> None:
        background.append(asyncio.create_task(outlives(context)))  # not by the context: nobody ends it
        await context.create_task(works(context))

    seen = ValueSpec("seen", IntType)
    data = request(typed(StringType, "hello"), state={"seen": None})
    result = FromFunction.FromString(await handler(function, seen).handle_async(data)).invocation_result
    finished.set()
    await background[0]
    assert [message.target.id for message in result.outgoing_messages] == ["early"]
    assert (len(result.state_mutations), len(late)) == (1, 1)


def test_a_plain_function_cannot_start_a_task() -> None:
    async def never() -> None:
        raise AssertionError

    def function(context: Context, message: Message) -> None:
        context.create_task(never())

    with pytest.raises(RegistrationError, match=r"must be an 'async def'.*test_context\.py:\d+"):
        call(function)


async def test_tasks_end_when_the_call_is_cancelled() -> None:
    tasks: list[asyncio.Task[None]] = []
    waiting = asyncio.Event()

    async def forever() -> None:
        waiting.set()
        await asyncio.Event().wait()

    async def function(context: Context, message: Message) -> None:
        tasks.append(context.create_task(forever()))
        await asyncio.Event().wait()

    running = asyncio.create_task(handler(function).handle_async(request(typed(StringType, "hello"))))
    await waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert tasks[0].cancelled()


async def test_a_function_that_swallows_the_cancellation_gets_no_further_message() -> None:
    started: list[str | None] = []
    waiting = asyncio.Event()

    async def function(context: Context, message: Message) -> None:
        started.append(message.as_string())
        waiting.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    two = request(typed(StringType, "first"), typed(StringType, "second"))
    running = asyncio.create_task(handler(function).handle_async(two))
    await waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert started == ["first"]


async def test_cancelling_a_call_stops_before_the_next_message() -> None:
    started: list[str | None] = []
    waiting = asyncio.Event()

    async def function(context: Context, message: Message) -> None:
        started.append(message.as_string())
        waiting.set()
        await asyncio.Event().wait()

    two = request(typed(StringType, "first"), typed(StringType, "second"))
    running = asyncio.create_task(handler(function).handle_async(two))
    await waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert started == ["first"]


def test_a_derived_context_carries_values_and_shares_all_else() -> None:
    def function(context: Context, message: Message) -> None:
        derived = context.derive(trace="t-1").derive(deadline=3)
        assert dict(derived.values) == {"trace": "t-1", "deadline": 3}
        assert derived.address == context.address
        derived.send(message_builder(TARGET, "a", int_value=1))
        derived.storage.seen = 2

    response = call(function, ValueSpec("seen", IntType))
    assert (len(response.outgoing_messages), len(response.state_mutations)) == (1, 1)


async def test_a_task_may_be_started_through_a_derived_context() -> None:
    tasks: list[asyncio.Task[None]] = []

    async def forever() -> None:
        await asyncio.Event().wait()

    async def function(context: Context, message: Message) -> None:
        tasks.append(context.derive(trace="t-1").create_task(forever(), name="derived"))
        await asyncio.sleep(0)

    await handler(function).handle_async(request(typed(StringType, "hello")))
    assert (tasks[0].get_name(), tasks[0].cancelled()) == ("derived", True)


async def test_context_variables_work_inside_a_function() -> None:
    variable: ContextVar[str] = ContextVar("variable")
    seen: list[str] = []

    async def read() -> None:
        seen.append(variable.get())

    async def function(context: Context, message: Message) -> None:
        variable.set("set")
        await context.create_task(read())

    await handler(function).handle_async(request(typed(StringType, "hello")))
    assert seen == ["set"]
