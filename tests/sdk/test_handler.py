"""Functions, their registration, and the handler that answers requests in bytes."""

from datetime import timedelta

import pytest

from statefun import (
    Context,
    IntType,
    Message,
    ProtocolError,
    RegistrationError,
    RequestReplyHandler,
    StatefulFunctions,
    StatefulFunctionSpec,
    StringType,
    UnknownFunctionError,
    ValueSpec,
    message_builder,
)
from statefun.protocol.request_reply_pb2 import FromFunction
from tests.sdk.calls import TYPENAME, call, handler, nothing, request, typed

HELLO = request(typed(StringType, "hello"))


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


def test_a_callable_object_is_a_function() -> None:
    class Counter:
        calls = 0

        async def __call__(self, context: Context, message: Message) -> None:
            self.calls += 1

    counter = Counter()
    call(counter)
    assert counter.calls == 1


def test_a_second_function_of_a_typename_is_refused_with_both_places() -> None:
    functions = StatefulFunctions()
    functions.register("example/f", nothing)
    with pytest.raises(RegistrationError, match=r"test_handler\.py:\d+.*test_handler\.py:\d+"):
        functions.register("example/f", nothing)


def test_a_function_of_a_wrong_signature_is_refused() -> None:
    def wrong(context: Context) -> None: ...

    with pytest.raises(RegistrationError, match=r"test_handler\.py:\d+"):
        StatefulFunctions().register("example/f", wrong)  # type: ignore[arg-type]


def test_a_request_that_lacks_declared_states_is_answered_with_their_specs() -> None:
    spec = ValueSpec("seen", IntType, expire_after_call=timedelta(seconds=1))
    reply = FromFunction.FromString(handler(nothing, spec).handle_sync(HELLO))
    (missing,) = reply.incomplete_invocation_context.missing_values
    assert (missing.state_name, missing.type_typename) == ("seen", IntType.typename)
    assert missing.expiration_spec.mode == FromFunction.ExpirationSpec.AFTER_INVOKE
    assert missing.expiration_spec.expire_after_millis == 1000


async def test_invoking_raises_on_bad_bytes_unknown_functions_and_failures() -> None:
    def fails(context: Context, message: Message) -> None:
        raise LookupError("as it is")

    with pytest.raises(ProtocolError):
        await handler(nothing).handle_async(b"\xff")
    with pytest.raises(UnknownFunctionError, match=TYPENAME):
        await StatefulFunctions().as_handler().handle_async(HELLO)
    with pytest.raises(LookupError, match="as it is"):
        await handler(fails).handle_async(HELLO)


def test_a_failing_message_fails_the_whole_batch() -> None:
    def second_fails(context: Context, message: Message) -> None:
        context.send(message_builder(TYPENAME, "a", int_value=1))
        if message.as_string() == "second":
            raise LookupError("second")

    with pytest.raises(LookupError):
        call(second_fails, messages=(typed(StringType, "first"), typed(StringType, "second")))
