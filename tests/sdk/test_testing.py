"""The test kit: one call, and a whole application in virtual time."""

import asyncio
from datetime import timedelta

import pytest

from statefun import (
    Address,
    Context,
    IntType,
    Message,
    RetryLater,
    StatefulFunctions,
    StringType,
    UndeclaredStateError,
    UnknownFunctionError,
    ValueSpec,
    egress_message_builder,
    message_builder,
    simple_type,
)
from statefun.testing import Application, call

SEEN = ValueSpec("seen", IntType)
BLOB = simple_type("example/blob", bytes, bytes)
SHORT = ValueSpec("short", IntType, expire_after_write=timedelta(minutes=1))
GREETER, REMINDER, OUT = "example/greeter", "example/reminder", "example/out"
functions = StatefulFunctions()


@functions.bind(GREETER, [SEEN, SHORT])
async def greet(context: Context, message: Message) -> None:
    await asyncio.sleep(0)
    seen = context.storage.get(SEEN) or 0
    short = context.storage.get(SHORT) or 0
    context.storage.set(SEEN, seen + 1)
    context.storage.set(SHORT, short + 1)
    if message.as_string() == "forget":
        context.cancel_delayed_message("reminder")
        return
    reminder = message_builder(REMINDER, context.address.id, str_value=str(short + 1))
    context.send_after(timedelta(minutes=5), reminder, "reminder")


@functions.bind(REMINDER)
def remind(context: Context, message: Message) -> None:
    context.send_egress(egress_message_builder(OUT, f"{context.address.id}: {message.as_string()}", StringType))


def hello(identifier: str, text: str = "hello") -> Message:
    return message_builder(GREETER, identifier, str_value=text)


def test_one_call_shows_its_typed_effects() -> None:
    outcome = call(functions, hello("ada"), state={SEEN: 3})
    assert (outcome.state(SEEN), outcome.state(SHORT)) == (4, 1)
    ((delay, message, token),) = outcome.delayed
    assert (delay, message.as_string(), token) == (timedelta(minutes=5), "1", "reminder")
    assert call(functions, hello("ada", "forget")).cancelled == ["reminder"]
    assert call(functions, message_builder(REMINDER, "ada", str_value="x")).egress[0].as_type(StringType) == "ada: x"


def test_a_call_refuses_messages_of_two_targets_and_unknown_functions() -> None:
    with pytest.raises(ValueError, match="exactly one target"):
        call(functions, hello("ada"), hello("bob"))
    with pytest.raises(UnknownFunctionError, match=GREETER):
        call(functions, message_builder("example/nobody", "ada", str_value="x"))


def test_a_call_takes_the_states_that_the_function_declares_and_values_of_their_types() -> None:
    with pytest.raises(UndeclaredStateError, match="declared are: seen, short"):
        call(functions, hello("ada"), state={ValueSpec("other", IntType): 1})
    with pytest.raises(UndeclaredStateError, match="not as"):
        call(functions, hello("ada"), state={ValueSpec("seen", StringType): "1"})
    with pytest.raises(ValueError, match="None"):
        call(functions, hello("ada"), state={SEEN: None})
    with pytest.raises(KeyError, match="other"):
        call(functions, hello("ada")).state(ValueSpec("other", IntType))


def test_messages_of_a_call_are_one_batch_and_have_the_given_caller() -> None:
    seen: list[Address | None] = []
    counting = StatefulFunctions()

    @counting.bind("example/counting", [SEEN])
    def count(context: Context, message: Message) -> None:
        seen.append(context.caller)
        context.storage.set(SEEN, (context.storage.get(SEEN) or 0) + 1)

    bob = Address("example/caller", "bob")
    message = message_builder("example/counting", "a", str_value="x")
    assert call(counting, message, message, caller=bob).state(SEEN) == 2
    assert seen == [bob, bob]


def test_a_call_shows_the_messages_that_were_sent() -> None:
    answering = StatefulFunctions()

    @answering.bind("example/answering")
    def answer(context: Context, message: Message) -> None:
        context.send(hello("bob"))
        context.send(hello("ada", "forget"))

    outcome = call(answering, message_builder("example/answering", "a", str_value="x"))
    assert [(sent.target_id, sent.as_string()) for sent in outcome.sent] == [("bob", "hello"), ("ada", "forget")]


def test_a_state_that_no_message_has_reached_is_none() -> None:
    assert Application(functions, egresses=[OUT]).state(Address(GREETER, "nobody"), SEEN) is None


def test_a_failing_call_raises_what_the_function_raised() -> None:
    with pytest.raises(ValueError, match=r"is no io\.statefun\.types/string"):
        call(functions, message_builder(GREETER, "ada", value=b"no text", value_type=BLOB))


async def test_a_call_of_an_async_function_is_refused_inside_an_event_loop() -> None:
    with pytest.raises(RuntimeError, match="running event loop"):
        call(functions, hello("ada"))


def test_delayed_messages_fire_when_virtual_time_comes() -> None:
    app = Application(functions, egresses=[OUT])
    app.send(hello("ada"))
    app.advance(minutes=4)
    assert app.egress(OUT) == []
    app.advance(minutes=1)
    assert [record.as_type(StringType) for record in app.egress(OUT)] == ["ada: 1"]


def test_a_cancelled_message_does_not_fire_also_after_a_restart() -> None:
    app = Application(functions, egresses=[OUT])
    app.send(hello("ada"))
    app.restart()
    app.send(hello("ada", "forget"))
    app.advance(hours=1)
    assert (app.egress(OUT), app.pending_delayed) == ([], 0)


def test_values_expire_in_virtual_time_and_others_stay() -> None:
    app = Application(functions, egresses=[OUT])
    app.send(hello("ada"))
    app.advance(minutes=2)
    app.send(hello("ada", "forget"))
    ada = Address(GREETER, "ada")
    assert (app.state(ada, SEEN), app.state(ada, SHORT)) == (2, 1)


def test_a_failing_call_fails_the_test_unless_failures_are_allowed() -> None:
    failing = StatefulFunctions()
    attempts: list[str] = []

    @failing.bind("example/flaky", [SEEN])
    def flaky(context: Context, message: Message) -> None:
        attempts.append(context.address.id)
        if len(attempts) < 3:
            raise RetryLater(timedelta(seconds=1))
        context.storage.set(SEEN, len(attempts))

    message = message_builder("example/flaky", "a", str_value="x")
    app = Application(failing, allow_failures=True)
    app.send(message)
    app.advance(seconds=10)
    assert (app.state(Address("example/flaky", "a"), SEEN), len(app.failures)) == (3, 2)
    attempts.clear()
    with pytest.raises(AssertionError, match="RetryLater"):
        Application(failing).send(message)
