"""The measured application, the same under each SDK: state read and written, a message and a Kafka record sent."""

from statefun import (
    Context,
    IntType,
    Message,
    StatefulFunctions,
    ValueSpec,
    kafka_egress_message,
    message_builder,
)

functions = StatefulFunctions()


@functions.bind(typename="bench/greeter", specs=[ValueSpec(name="seen", type=IntType)])
async def greeter(context: Context, message: Message) -> None:
    name = message.as_string() or ""
    seen = (context.storage.seen or 0) + 1
    context.storage.seen = seen
    context.send(message_builder(target_typename="bench/counter", target_id=name, int_value=seen))
    context.send_egress(
        kafka_egress_message(typename="bench/kafka", topic="greetings", key=name, value=f"Hello {name}, number {seen}")
    )
