"""The measured applications: two functions and an egress, one after the other; and some that do one thing only."""

from datetime import timedelta

from statefun import (
    Context,
    DoubleType,
    IntType,
    Message,
    RequestReplyHandler,
    StatefulFunctions,
    ValueSpec,
    egress_message_builder,
    message_builder,
    simple_type,
)

functions = StatefulFunctions()
SIZED = simple_type("benchmarks/sized", bytes, bytes)
DELAY = timedelta(milliseconds=100)
CHAIN = 8


@functions.bind("benchmarks/greeter", specs=[ValueSpec("seen", IntType)])
async def greeter(context: Context, message: Message) -> None:
    """Count, and pass the message on to the counter of the same id."""
    context.storage.seen = (context.storage.seen or 0) + 1
    value = message.as_double()
    context.send(message_builder("benchmarks/counter", context.address.id, double_value=value or 0.0))


@functions.bind("benchmarks/counter", specs=[ValueSpec("count", IntType)])
async def counter(context: Context, message: Message) -> None:
    """Count, and pass the message on to the egress."""
    context.storage.count = (context.storage.count or 0) + 1
    context.send_egress(egress_message_builder("benchmarks/out", message.as_double() or 0.0, DoubleType))


@functions.bind("benchmarks/hot", specs=[ValueSpec("count", IntType)])
async def hot(context: Context, message: Message) -> None:  # noqa: ARG001  (what is called)
    """Count."""
    context.storage.count = (context.storage.count or 0) + 1


@functions.bind("benchmarks/relay", specs=[ValueSpec("count", IntType)])
async def relay(context: Context, message: Message) -> None:
    """Count, and pass the message on to the egress, however long it is."""
    context.storage.count = (context.storage.count or 0) + 1
    context.send_egress(egress_message_builder("benchmarks/out", message.raw_value() or b"", SIZED))


@functions.bind("benchmarks/later", specs=[ValueSpec("count", IntType)])
async def later(context: Context, message: Message) -> None:
    """Count, and have the counter of the same id called after a while."""
    context.storage.count = (context.storage.count or 0) + 1
    value = message.as_double() or 0.0
    context.send_after(DELAY, message_builder("benchmarks/counter", context.address.id, double_value=value))


async def link(context: Context, message: Message) -> None:
    """Count, and pass the message on to the next of a chain of functions; the last one ends it."""
    context.storage.count = (context.storage.count or 0) + 1
    number = int(context.address.typename.rpartition("-")[2])
    if number > 1:
        value = message.as_double() or 0.0
        context.send(message_builder(f"benchmarks/link-{number - 1}", context.address.id, double_value=value))


for place in range(1, CHAIN + 1):
    functions.bind(f"benchmarks/link-{place}", specs=[ValueSpec("count", IntType)])(link)

handler = RequestReplyHandler(functions)
"""For servers of ASGI applications."""
