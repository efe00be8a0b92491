"""Whatever bytes come, a handler answers or refuses; nothing else escapes."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from statefun import (
    Context,
    IntType,
    Message,
    RequestReplyHandler,
    StatefulFunctions,
    StringType,
    ValueSpec,
    aws_lambda,
    message_builder,
)
from statefun.errors import StatefunError
from statefun.protocol.request_reply_pb2 import FromFunction, ToFunction

functions = StatefulFunctions()


@functions.bind("fuzz/greeter", specs=[ValueSpec("seen", IntType)])
def greet(context: Context, message: Message) -> None:
    if message.is_string():
        context.storage.seen = (context.storage.seen or 0) + 1
        context.send(
            message_builder(target_typename="fuzz/greeter", target_id="next", str_value=message.as_string() or "")
        )
    context.send(message)


handler = RequestReplyHandler(functions)
small = st.binary(max_size=60)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Requests that are right in form and may hold any values, perhaps with a part of them changed."""
    request = ToFunction()
    target = request.invocation.target
    target.namespace, target.type = draw(st.sampled_from([("fuzz", "greeter"), ("fuzz", "other"), ("", "")]))
    target.id = draw(st.text(max_size=5))
    for _ in range(draw(st.integers(0, 3))):
        argument = request.invocation.invocations.add().argument
        argument.typename = draw(st.sampled_from([StringType.typename, IntType.typename, "x/y", "", "no slash"]))
        argument.has_value, argument.value = draw(st.booleans()), draw(small)
    if draw(st.booleans()):
        state = request.invocation.state.add(state_name="seen").state_value
        state.typename = draw(st.sampled_from([IntType.typename, StringType.typename, ""]))
        state.has_value, state.value = draw(st.booleans()), draw(small)
    encoded = request.SerializeToString()
    cut = draw(st.integers(0, len(encoded)))
    return draw(st.sampled_from([encoded, encoded[:cut], encoded[:cut] + draw(small)]))


@given(small | requests())
@example(b"")
def test_any_request_is_answered_or_refused(body: bytes) -> None:
    try:
        reply = handler.handle_sync(body)
    except (StatefunError, ValueError):
        return
    assert FromFunction.FromString(reply).IsInitialized()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "httpMethod": st.sampled_from(["POST", "GET", ""]),
            "requestContext": st.fixed_dictionaries({}, optional={"http": st.just({"method": "POST"})}),
            "headers": st.none() | st.dictionaries(st.sampled_from(["Content-Type", "x"]), st.text(max_size=30)),
            "body": st.none() | st.text(max_size=50),
            "isBase64Encoded": st.booleans(),
            "more": json_values,
        },
    )
)
def test_any_event_of_lambda_is_answered(event: dict[str, Any]) -> None:
    response = aws_lambda(handler)(event, None)
    assert response["statusCode"] in (200, 400, 405, 413, 415, 500)
