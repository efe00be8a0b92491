"""Calls a function through the handler, as a runtime would."""

from typing import Any

from statefun import Context, Message, RequestReplyHandler, StatefulFunctions, StringType, Type, ValueSpec
from statefun.function_spec import StatefulFunction
from statefun.protocol.request_reply_pb2 import FromFunction, ToFunction, TypedValue

TYPENAME = "example/function"


def typed(tpe: Type[Any], value: Any) -> TypedValue:
    return TypedValue(typename=tpe.typename, has_value=True, value=tpe.serialize(value))


def request(*arguments: TypedValue, state: dict[str, TypedValue | None] | None = None, caller: str = "") -> bytes:
    """A batch for `TYPENAME`, id `me`; `caller` is an id of the same type."""
    return request_for(TYPENAME, *arguments, state=state, caller=caller)


def request_for(
    typename: str, *arguments: TypedValue, state: dict[str, TypedValue | None] | None = None, caller: str = ""
) -> bytes:
    """A batch for the function `typename`, id `me`; `caller` is an id of the same type."""
    to_function = ToFunction()
    invocation = to_function.invocation
    invocation.target.namespace, invocation.target.type = typename.split("/")
    invocation.target.id = "me"
    for name, value in (state or {}).items():
        invocation.state.add(state_name=name, state_value=value)
    for argument in arguments:
        added = invocation.invocations.add(argument=argument)
        if caller:
            added.caller.CopyFrom(invocation.target)
            added.caller.id = caller
    return to_function.SerializeToString()


def handler(function: StatefulFunction, *specs: ValueSpec[Any]) -> RequestReplyHandler:
    functions = StatefulFunctions()
    functions.register(TYPENAME, function, specs)
    return functions.as_handler()


def call(
    function: StatefulFunction,
    *specs: ValueSpec[Any],
    state: dict[str, TypedValue | None] | None = None,
    messages: tuple[TypedValue, ...] = (),
    caller: str = "",
) -> FromFunction.InvocationResponse:
    """Run one message (`"hello"`), or `messages`; undefined states are registered and unset."""
    values = {**{spec.name: None for spec in specs}, **(state or {})}
    data = request(*(messages or (typed(StringType, "hello"),)), state=values, caller=caller)
    return FromFunction.FromString(handler(function, *specs).handle_sync(data)).invocation_result


def nothing(context: Context, message: Message) -> None:
    """A function without effects."""
