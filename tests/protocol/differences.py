"""What the two SDKs do differently: small programs, each under the name of its row in docs/reference/differences.md.

Runs under either SDK and needs only what both have. As a program it prints what each row came to, as JSON.
"""

import asyncio
import importlib
import json
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from statefun import (
    IntType,
    RequestReplyHandler,
    SdkAddress,
    StatefulFunctions,
    StringType,
    ValueSpec,
    kafka_egress_message,
    kinesis_egress_message,
    message_builder,
)
from statefun.kafka_egress_pb2 import KafkaProducerRecord
from statefun.request_reply_pb2 import FromFunction, ToFunction

TYPENAME = "example/function"
PROBES: dict[str, Callable[[], Any]] = {}


def row(name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def add(probe: Callable[[], Any]) -> Callable[[], Any]:
        PROBES[name] = probe
        return probe

    return add


def request(*texts: str, states: tuple[str, ...] = ()) -> bytes:
    to_function = ToFunction()
    invocation = to_function.invocation
    invocation.target.namespace, invocation.target.type = TYPENAME.split("/")
    invocation.target.id = "me"
    for state in states:
        invocation.state.add(state_name=state)
    for text in texts:
        argument = invocation.invocations.add().argument
        argument.typename, argument.has_value, argument.value = StringType.typename, True, _bytes(StringType, text)
    return to_function.SerializeToString()


def _bytes(tpe: Any, value: Any) -> bytes:
    data: bytes = tpe.serializer().serialize(value)
    return data


def reply(function: Any, *texts: str, specs: tuple[Any, ...] = ()) -> Any:
    """The reply to a batch of `texts`, or of one; states are registered and unset."""
    functions = StatefulFunctions()
    functions.register(TYPENAME, function, list(specs))
    data = request(*(texts or ("hello",)), states=tuple(spec.name for spec in specs))
    return FromFunction.FromString(RequestReplyHandler(functions).handle_sync(data)).invocation_result


def message() -> Any:
    return message_builder("example/next", "id", str_value="x")


# ---------------------------------------------------------------------------------------------------- registration


@row("a second function of the same typename")
def _() -> Any:
    functions = StatefulFunctions()
    functions.register(TYPENAME, lambda context, message: None)
    functions.register(TYPENAME, lambda context, message: None)
    return "replaced"


@row("a function under a text that is no typename")
def _() -> Any:
    StatefulFunctions().register("function", lambda context, message: None)
    return "registered"


@row("a method, a callable object, further parameters with defaults")
def _() -> Any:
    class Greeter:
        def greet(self, context: Any, message: Any) -> None: ...

    StatefulFunctions().register(TYPENAME, Greeter().greet)
    return "registered"


@row("a generator function")
def _() -> Any:
    def generates(context: Any, message: Any) -> Any:
        context.send(message)
        yield

    return len(reply(generates).outgoing_messages)


@row("a plain `def` that returns an awaitable")
def _() -> Any:
    async def sends(context: Any) -> None:
        context.send(message())

    started = []

    def function(context: Any, message: Any) -> Any:
        started.append(sends(context))
        return started[-1]

    try:
        return len(reply(function).outgoing_messages)
    finally:
        started[0].close()


# ------------------------------------------------------------------------------------------------------ value specs


@row("`timedelta(0)` as an expiration")
def _() -> Any:
    spec = ValueSpec("seen", IntType, expire_after_write=timedelta(0))
    return [spec.after_write, spec.duration]


@row("a negative expiration, or one below a millisecond")
def _() -> Any:
    spec = ValueSpec("seen", IntType, expire_after_call=timedelta(seconds=-1))
    return [spec.after_call, spec.duration]


@row("milliseconds of an expiration")
def _() -> Any:
    return ValueSpec("seen", IntType, expire_after_call=timedelta(milliseconds=1001)).duration


@row("capitals in a state's name")
def _() -> Any:
    return ValueSpec("lastSeen", IntType).name


@row("a keyword as a state's name")
def _() -> Any:
    return ValueSpec("class", IntType).name


@row("letters beyond ASCII in a state's name")
def _() -> Any:
    return ValueSpec("größe", IntType).name


@row("a state's name between double underscores")
def _() -> Any:
    return ValueSpec("__seen__", IntType).name


@row("a state called `get`, `set` or `remove`, as an attribute")
def _() -> Any:
    def function(context: Any, message: Any) -> None:
        context.storage.get = 1

    return len(reply(function, specs=(ValueSpec("get", IntType),)).state_mutations)


# ----------------------------------------------------------------------------------------------------------- values


@row("a bool as an integer")
def _() -> Any:
    return _bytes(IntType, True).hex()


@row("bytes that are no value of a primitive type")
def _() -> Any:
    return IntType.serializer().deserialize(b"\xff")


@row("`value=` without `value_type=`")
def _() -> Any:
    return message_builder("example/next", "id", value="text").as_string()


@row("a message to a text that is no typename")
def _() -> Any:
    message_builder("next", "id", str_value="x")
    return "made"


@row("`SdkAddress` with a typename that is not that of its parts")
def _() -> Any:
    return SdkAddress(namespace="example", name="function", id="me", typename="other/function").typename


@row("an address as text")
def _() -> Any:
    return str(SdkAddress("example", "function", "me", "example/function"))


# ---------------------------------------------------------------------------------------------------------- effects


@row("milliseconds of a delay")
def _() -> Any:
    def function(context: Any, _message: Any) -> None:
        context.send_after(timedelta(milliseconds=1001), message())

    return reply(function).delayed_invocations[0].delay_in_ms


@row("a negative delay")
def _() -> Any:
    def function(context: Any, _message: Any) -> None:
        context.send_after(timedelta(seconds=-1), message())

    return reply(function).delayed_invocations[0].delay_in_ms


@row("cancelling with an empty token")
def _() -> Any:
    def function(context: Any, message: Any) -> None:
        context.cancel_delayed_message("")

    return reply(function).delayed_invocations[0].is_cancellation_request


@row("a context that is used after its message")
def _() -> Any:
    kept: list[Any] = []

    def function(context: Any, _message: Any) -> None:
        if kept:
            kept[0].send(message())
        kept.append(context)

    return len(reply(function, "first", "second").outgoing_messages)


@row("a Kafka integer of more than 4 bytes")
def _() -> Any:
    return kafka_egress_message("example/out", "topic", 2**31)


@row("a bool as a Kafka value")
def _() -> Any:
    record = kafka_egress_message("example/out", "topic", True)
    return KafkaProducerRecord.FromString(record.typed_value.value).value_bytes.hex()


@row("an empty Kinesis partition key")
def _() -> Any:
    kinesis_egress_message("example/out", "stream", "x", "")
    return "made"


# ---------------------------------------------------------------------------------------------------------- handler


@row("a request for a function that is not registered")
def _() -> Any:
    return RequestReplyHandler(StatefulFunctions()).handle_sync(request("hello"))


@row("bytes that are no request")
def _() -> Any:
    return RequestReplyHandler(StatefulFunctions()).handle_sync(b"\xff")


@row("no bytes at all")
def _() -> Any:
    return RequestReplyHandler(StatefulFunctions()).handle_sync(b"")


@row("`handle_sync` of a plain `def`")
def _() -> Any:
    seen: list[bool] = []

    def function(context: Any, message: Any) -> None:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            seen.append(False)
        else:
            seen.append(True)

    reply(function)
    return seen[0]


@row("`for_typename`, and the handler's `functions`")
def _() -> Any:
    functions = StatefulFunctions()
    functions.register(TYPENAME, lambda context, message: None)
    return [hasattr(functions.for_typename(TYPENAME), "fun"), hasattr(RequestReplyHandler(functions), "functions")]


@row("submodules")
def _() -> Any:
    names = ("core", "messages", "egress_io", "statefun_builder", "request_reply_v3", "utils", "wrapper_types")
    return [name for name in names if is_there(f"statefun.{name}")]


def is_there(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def outcome(probe: Callable[[], Any]) -> Any:
    """What the program returns, or the classes of the error that it raises."""
    try:
        return probe()
    except Exception as error:  # noqa: BLE001  whatever it raises is what is asked for
        return {"raises": [each.__name__ for each in type(error).__mro__[:-3]]}


if __name__ == "__main__":
    json.dump({name: outcome(probe) for name, probe in PROBES.items()}, sys.stdout)
