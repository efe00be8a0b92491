"""The application of the Kinesis tests: it numbers the messages of each address and tells them to a stream."""

from statefun import Context, IntType, Message, StatefulFunctions, ValueSpec, kinesis_egress_message

OUT = "kills-out"
functions = StatefulFunctions()


@functions.bind("kinesis/counter", specs=[ValueSpec("seen", IntType)])
def counter(context: Context, message: Message) -> None:
    """Tell `<number of messages so far> <text>` under the id."""
    seen = (context.storage.seen or 0) + 1
    context.storage.seen = seen
    text = (message.raw_value() or b"").decode()
    context.send_egress(kinesis_egress_message("kinesis/out", OUT, f"{seen} {text}", context.address.id))
