"""What a function can do through its context, and how long."""

import asyncio
from contextvars import ContextVar
from datetime import timedelta

import pytest

from statefun import (
    Address,
    CancellationToken,
    Context,
    ContextEndedError,
    IntType,
    Message,
    MessageBuilder,
    StringType,
    ValueSpec,
    egress_message_builder,
    message_builder,
)
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

    delayed = call(function).delayed_invocations
    assert [(d.delay_in_ms, d.cancellation_token) for d in delayed] == [(60_000, ""), (0, ""), (5, "t")]


def test_a_negative_delay_and_an_empty_token_to_cancel_are_errors() -> None:
    def negative(context: Context, message: Message) -> None:
        context.send_after(timedelta(seconds=-1), message)

    def empty(context: Context, message: Message) -> None:
        context.cancel_delayed_message("")

    for function in (negative, empty):
        with pytest.raises(ValueError, match=r"\S"):
            call(function)


def test_a_cancellation_names_the_token() -> None:
    def function(context: Context, message: Message) -> None:
        context.cancel_delayed_message("t")

    (cancelled,) = call(function).delayed_invocations
    assert (cancelled.is_cancellation_request, cancelled.cancellation_token) == (True, "t")


def test_an_egress_record_names_its_egress() -> None:
    def function(context: Context, message: Message) -> None:
        context.send_egress(egress_message_builder("example/out", "v", StringType))

    (record,) = call(function).outgoing_egresses
    assert (record.egress_namespace, record.egress_type, record.argument) == ("example", "out", typed(StringType, "v"))


def test_a_context_that_was_kept_raises_after_its_message() -> None:
    kept: list[Context] = []

    def function(context: Context, message: Message) -> None:
        kept.append(context)

    call(function, ValueSpec("seen", IntType))
    for use in (lambda: kept[0].address, lambda: kept[0].storage, lambda: kept[0].caller):
        with pytest.raises(ContextEndedError):
            use()
    with pytest.raises(ContextEndedError):
        kept[0].send(message_builder(TARGET, "a", int_value=1))


async def test_tasks_of_a_message_end_with_it() -> None:
    tasks: list[asyncio.Task[None]] = []

    async def forever() -> None:
        await asyncio.Event().wait()

    async def function(context: Context, message: Message) -> None:
        tasks.append(context.create_task(forever()))
        await asyncio.sleep(0)

    await handler(function).handle_async(request(typed(StringType, "hello")))
    assert tasks[0].cancelled()


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
