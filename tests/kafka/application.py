"""The application of the Kafka tests: it numbers the messages of each address and tells them to Kafka."""

from statefun import Context, IntType, Message, StatefulFunctions, ValueSpec, kafka_egress_message

functions = StatefulFunctions()


@functions.bind("kafka/counter", specs=[ValueSpec("seen", IntType)])
def counter(context: Context, message: Message) -> None:
    """Tell `<number of messages so far> <text>` under the id, `<name>.<key>`, to the topic `<name>-out`."""
    seen = (context.storage.seen or 0) + 1
    context.storage.seen = seen
    text = (message.raw_value() or b"").decode()
    topic = f"{context.address.id.partition('.')[0]}-out"
    context.send_egress(
        kafka_egress_message(
            "kafka/out", topic=topic, value=f"{seen} {text}", key=context.address.id, headers=[("n", str(seen))]
        )
    )
