"""The measured application: a function that replies, and one that counts before it does."""

from statefun import Context, IntType, Message, StatefulFunctions, ValueSpec, message_builder

functions = StatefulFunctions()


@functions.bind("calls/echo")
def echo(context: Context, message: Message) -> None:
    """Reply with the text."""
    reply(context, message.as_string() or "")


@functions.bind("calls/counter", specs=[ValueSpec("count", IntType)])
def counter(context: Context, message: Message) -> None:
    """Count, and reply with the text and the count."""
    context.storage.count = (context.storage.count or 0) + 1
    reply(context, f"{message.as_string()} {context.storage.count}")


def reply(context: Context, text: str) -> None:
    if context.caller is not None:
        context.send(message_builder(context.caller.typename, context.caller.id, str_value=text))
