"""The functions that the tests of calls call."""

from datetime import timedelta

from statefun import (
    Address,
    Context,
    IntType,
    Message,
    Reject,
    StatefulFunctions,
    StringType,
    ValueSpec,
    make_json_type,
    message_builder,
    simple_type,
)

CART = make_json_type("shop/Cart")
PICTURE = simple_type("shop/Picture", bytes, bytes)
functions = StatefulFunctions()


@functions.bind("test/counter", specs=[ValueSpec("count", IntType)])
def counter(context: Context, message: Message) -> None:
    """Count messages; reply with the count."""
    context.storage.count = (context.storage.count or 0) + 1
    if context.caller is not None:
        reply(context, context.caller, int_value=context.storage.count)


@functions.bind("test/reply")
def typed(context: Context, message: Message) -> None:
    """Reply with a value of the type that the text names."""
    caller = caller_of(context)
    match message.as_string():
        case "json":
            value = {"items": ["socks"], "text": "grüß"}
            context.send(message_builder(caller.typename, caller.id, value=value, value_type=CART))
        case "bytes":
            context.send(message_builder(caller.typename, caller.id, value=b"\x89PNG", value_type=PICTURE))
        case "nan":
            reply(context, caller, float_value=float("nan"))
        case "text":
            reply(context, caller, str_value="")
        case "bool":
            reply(context, caller, bool_value=True)
        case _:
            reply(context, caller, double_value=0.5)


@functions.bind("test/silent")
def silent(context: Context, message: Message) -> None:
    """Say nothing."""


@functions.bind("test/later", specs=[ValueSpec("asked", StringType)])
def later(context: Context, message: Message) -> None:
    """Ask another function, which replies to the request after a while."""
    caller = caller_of(context)
    context.send(message_builder("test/helper", caller.id, str_value=caller.typename))


@functions.bind("test/helper")
def helper(context: Context, message: Message) -> None:
    """Reply a little later to the request whose id is this address's."""
    delay = timedelta(milliseconds=5)
    context.send_after(delay, message_builder(message.as_string() or "", context.address.id, str_value="later"))


@functions.bind("test/broken")
def broken(context: Context, message: Message) -> None:
    """Fail for good."""
    raise Reject("broken on purpose")


def caller_of(context: Context) -> Address:
    assert context.caller is not None
    return context.caller


def reply(context: Context, caller: Address, **value: object) -> None:
    context.send(message_builder(caller.typename, caller.id, **value))  # type: ignore[arg-type]
