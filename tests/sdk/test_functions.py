"""Functions and their registration."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest

from statefun import (
    Context,
    IntType,
    Message,
    RegistrationError,
    RequestReplyHandler,
    StatefulFunctions,
    StatefulFunctionSpec,
    StringType,
    UnknownFunctionError,
    ValueSpec,
    message_builder,
)
from tests.sdk.calls import TYPENAME, call, handler, nothing, request, typed


def test_functions_are_added_by_bind_register_and_spec() -> None:
    functions = StatefulFunctions()
    spec = ValueSpec("seen", IntType)

    @functions.bind("example/bound", [spec])
    def bound(context: Context, message: Message) -> None: ...

    functions.register("example/registered", nothing)
    assert functions.with_spec(StatefulFunctionSpec("example/spec", nothing)) is functions
    assert [each.typename for each in functions] == ["example/bound", "example/registered", "example/spec"]
    assert functions.for_typename("example/bound").specs == (spec,)
    assert isinstance(functions.as_handler(), RequestReplyHandler)


def sends(context: Context, message: Message) -> None:
    context.send(message_builder(TYPENAME, "a", int_value=1))


async def sends_async(context: Context, message: Message) -> None:
    await asyncio.sleep(0)
    sends(context, message)


class Sender:
    def method(self, context: Context, message: Message) -> None:
        sends(context, message)

    async def async_method(self, context: Context, message: Message) -> None:
        await sends_async(context, message)

    @staticmethod
    def static(context: Context, message: Message) -> None:
        sends(context, message)

    def __call__(self, context: Context, message: Message) -> None:
        sends(context, message)


class AsyncSender:
    async def __call__(self, context: Context, message: Message) -> None:
        await sends_async(context, message)


def sends_more(times: int, context: Context, message: Message, /, twice: bool = False, **more: Any) -> None:
    for _ in range(times + twice):
        sends(context, message)


async def sends_more_async(times: int, context: Context, message: Message) -> None:
    sends_more(times, context, message)


def sends_any(*arguments: Any) -> None:
    sends(*arguments)


@functools.wraps(sends)
def wrapped(*arguments: Any) -> None:
    sends(*arguments)


@pytest.mark.parametrize(
    "function",
    [
        sends,
        sends_async,
        Sender().method,
        Sender().async_method,
        Sender.static,
        Sender(),
        AsyncSender(),
        functools.partial(sends_more, 1),
        functools.partial(sends_more_async, 1),
        functools.partial(AsyncSender()),
        sends_any,
        wrapped,
    ],
)
async def test_whatever_takes_a_context_and_a_message_is_a_function(function: Any) -> None:
    await asyncio.to_thread(sent_by, function)
    assert await handler(function).handle_async(request(typed(StringType, "x"))) != b""


def sent_by(function: Any) -> None:
    """Run in a thread of its own, since no event loop may be running where `handle_sync` makes one."""
    assert len(call(function).outgoing_messages) == 1


def one(context: Context) -> None: ...


def three(context: Context, message: Message, more: int) -> None: ...


def keyword(context: Context, message: Message, *, more: int) -> None: ...


def generates(context: Context, message: Message) -> Any:
    yield


async def generates_async(context: Context, message: Message) -> Any:
    yield


class Generator:
    def __call__(self, context: Context, message: Message) -> Any:
        yield


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (one, "must take a context and a message"),
        (three, "must take a context and a message"),
        (keyword, "must take a context and a message"),
        (Sender.method, "must take a context and a message"),
        (Sender, "is a class, register an instance of it"),
        (generates, "is a generator, it would never run"),
        (generates_async, "is a generator, it would never run"),
        (Generator(), "is a generator, it would never run"),
    ],
)
def test_a_function_of_a_wrong_signature_is_refused_with_its_place(function: Any, reason: str) -> None:
    place = r"test_functions\.py:\d+"
    with pytest.raises(RegistrationError, match=f"{TYPENAME} cannot be registered: .*{place} ?{reason}"):
        StatefulFunctions().register(TYPENAME, function)


@pytest.mark.parametrize("function", [None, "greeter", 3])
def test_what_cannot_be_called_is_refused(function: Any) -> None:
    with pytest.raises(RegistrationError, match=r"is missing|is no function"):
        StatefulFunctions().register(TYPENAME, function)


@pytest.mark.parametrize("typename", ["greeter", "", "/greeter", "example/", None, 3])
def test_a_typename_that_is_none_is_refused_with_the_place_of_the_function(typename: Any) -> None:
    with pytest.raises(RegistrationError, match=r"the typename of the function in .*calls\.py:\d+"):
        StatefulFunctions().register(typename, nothing)


def test_a_second_function_of_a_typename_is_refused_with_the_places_of_both() -> None:
    functions = StatefulFunctions()
    functions.register(TYPENAME, nothing)
    adds: list[Callable[[], object]] = [
        lambda: functions.register(TYPENAME, sends),
        lambda: functions.bind(TYPENAME)(sends),
        lambda: functions.with_spec(StatefulFunctionSpec(TYPENAME, sends)),
    ]
    first = r"first at .*test_functions\.py:\d+ \(the function is in .*calls\.py:\d+\)"
    again = r"again at .*test_functions\.py:\d+ \(the function is in .*test_functions\.py:\d+\)"
    for add in adds:
        with pytest.raises(RegistrationError, match=f"{TYPENAME} is registered twice: {first}, and {again}"):
            add()
    assert functions.for_typename(TYPENAME).function is nothing


def test_states_that_cannot_be_told_apart_or_are_no_specs_are_refused() -> None:
    twice: list[ValueSpec[Any]] = [ValueSpec("seen", IntType), ValueSpec("seen", StringType)]
    with pytest.raises(RegistrationError, match=f"{TYPENAME} declares the state 'seen' twice"):
        StatefulFunctions().register(TYPENAME, nothing, twice)
    with pytest.raises(RegistrationError, match="is no ValueSpec"):
        StatefulFunctions().register(TYPENAME, nothing, ["seen"])  # type: ignore[list-item]


def test_a_bound_function_stays_as_it_is() -> None:
    assert StatefulFunctions().bind(typename=TYPENAME, specs=None)(sends) is sends


def test_a_typename_that_is_not_registered_is_an_error_that_lists_those_that_are() -> None:
    functions = StatefulFunctions()
    with pytest.raises(KeyError, match="registered are: none"):
        functions.for_typename(TYPENAME)
    functions.register("example/b", nothing)
    functions.register("example/a", nothing)
    with pytest.raises(UnknownFunctionError, match=f"no function {TYPENAME}; registered are: example/a, example/b"):
        functions.for_typename(TYPENAME)


def test_a_function_that_is_added_later_is_served_too() -> None:
    functions = StatefulFunctions()
    served = functions.as_handler()
    functions.register(TYPENAME, sends)
    assert served.handle_sync(request(typed(StringType, "x"))) != b""


def test_a_plain_function_that_returns_an_awaitable_is_an_error() -> None:
    def forgets(context: Context, message: Message) -> Any:
        return sends_async(context, message)

    with pytest.raises(RegistrationError, match=r"returned an awaitable .*test_functions\.py:\d+.*never be awaited"):
        call(forgets)


def test_what_a_plain_function_returns_does_not_matter_otherwise() -> None:
    def returns(context: Context, message: Message) -> Any:
        sends(context, message)
        return "done"

    assert len(call(returns).outgoing_messages) == 1
