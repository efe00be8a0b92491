"""Functions, their registration, and the handler that serves them by bytes, ASGI and AWS Lambda."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from statefun import (
    Context,
    IntType,
    Message,
    ProtocolError,
    RegistrationError,
    Reject,
    RequestReplyHandler,
    RetryLater,
    StatefulFunctions,
    StatefulFunctionSpec,
    StringType,
    UnknownFunctionError,
    ValueSpec,
    aws_lambda,
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


async def ask(
    function: Callable[[Context, Message], None], **request_parts: Any
) -> tuple[int, dict[bytes, bytes], bytes]:
    """One request to the ASGI application: status, headers and body."""
    scope = {
        "type": "http",
        "method": request_parts.get("method", "POST"),
        "headers": [(b"content-type", request_parts.get("content_type", b"application/octet-stream"))],
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": request_parts.get("body", HELLO), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await handler(function)(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), body


def later(context: Context, message: Message) -> None:
    raise RetryLater(timedelta(seconds=3))


def rejects(context: Context, message: Message) -> None:
    raise Reject("poison")


def fails(context: Context, message: Message) -> None:
    raise LookupError("no such thing")


@pytest.mark.parametrize(
    ("function", "parts", "status"),
    [
        (nothing, {}, 200),
        (nothing, {"method": "GET"}, 405),
        (nothing, {"content_type": b"application/json"}, 415),
        (nothing, {"body": b""}, 400),
        (nothing, {"body": b"\xff"}, 500),
        (fails, {}, 500),
        (later, {}, 503),
        (rejects, {}, 422),
    ],
)
async def test_the_asgi_application_answers_as_the_reference_does(
    function: Callable[[Context, Message], None], parts: dict[str, Any], status: int
) -> None:
    assert (await ask(function, **parts))[0] == status


async def test_a_failure_says_which_function_but_sends_no_traceback() -> None:
    _, _, body = await ask(fails)
    assert all(part in body for part in (TYPENAME.encode(), b"me", b"LookupError", b"no such thing"))
    assert b"Traceback" not in body


async def test_retry_later_says_when() -> None:
    _, headers, _ = await ask(later)
    assert headers[b"retry-after"] == b"3"


def greets(context: Context, message: Message) -> None:
    context.send(message_builder(TYPENAME, "a", str_value="hi"))


@pytest.mark.parametrize(
    "event",
    [
        {"requestContext": {"http": {"method": "POST"}}},
        {"version": "2.0", "requestContext": {"http": {"method": "POST"}}},
        {"httpMethod": "POST"},
    ],
)
def test_lambda_answers_function_urls_and_both_api_gateways(event: dict[str, Any]) -> None:
    sent = {
        **event,
        "headers": {"Content-Type": "application/octet-stream"},
        "body": base64.b64encode(HELLO).decode(),
        "isBase64Encoded": True,
    }
    answer = aws_lambda(handler(greets))(sent, None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    reply = FromFunction.FromString(base64.b64decode(answer["body"]))
    assert reply.invocation_result.outgoing_messages[0].argument == typed(StringType, "hi")


def test_lambda_answers_a_failure_as_text() -> None:
    event = {"httpMethod": "POST", "body": base64.b64encode(HELLO).decode(), "isBase64Encoded": True}
    answer = aws_lambda(handler(fails))(event, None)
    assert answer["statusCode"] == 500
    assert "LookupError" in answer["body"]
