"""The application of the Kafka tests: it numbers the messages of each address and tells them to Kafka."""

from statefun import Context, IntType, Message, StatefulFunctions, ValueSpec, kafka_egress_message

functions = StatefulFunctions()


@functions.bind("kafka/counter", specs=[ValueSpec("seen", IntType)])
def counter(context: Context, message: Message) -> None:
    """Tell `<number of messages so far> <text>` under the address's id."""
    seen = (context.storage.seen or 0) + 1
    context.storage.seen = seen
    text = (message.raw_value() or b"").decode()
    context.send_egress(
        kafka_egress_message(
            "kafka/out", topic="out", value=f"{seen} {text}", key=context.address.id, headers=[("n", str(seen))]
        )
    )
