"""The measured applications: two functions and an egress, one after the other; and one that only counts."""

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
)

functions = StatefulFunctions()


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


handler = RequestReplyHandler(functions)
"""For servers of ASGI applications."""
