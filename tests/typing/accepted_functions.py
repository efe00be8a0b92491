"""Functions, what they send, and the handlers they are served by."""

from datetime import timedelta
from typing import assert_type

from statefun import (
    Address,
    CancellationToken,
    Context,
    IntType,
    KafkaEgressBuilder,
    KinesisEgressBuilder,
    Message,
    MessageBuilder,
    RequestReplyHandler,
    StatefulFunctions,
    StatefulFunctionSpec,
    StringType,
    TypeName,
    ValueSpec,
    egress_message_builder,
    kafka_egress_message,
    kinesis_egress_message,
    message_builder,
)

SEEN = ValueSpec("seen", IntType)
COUNTER = TypeName.parse("example/counter")
functions = StatefulFunctions()


@functions.bind("example/greeter", specs=[SEEN])
async def greeter(context: Context, message: Message) -> None:
    context.send(message_builder(target_typename="example/counter", target_id="id", int_value=1))
    context.send(message_builder(COUNTER, "id", str_value="text"))
    context.send(message_builder(COUNTER, "id", value=3, value_type=IntType))
    context.send(MessageBuilder(Address(COUNTER, "id"), 3, IntType).to_message())
    context.send_after(timedelta(seconds=1), message, None)
    context.send_after(timedelta(seconds=1), message, "token")
    context.send_after(timedelta(seconds=1), message, cancellation_token=CancellationToken("token"))
    context.cancel_delayed_message("token")
    context.cancel_delayed_message(CancellationToken("token"))


@functions.bind("example/plain")
def plain(context: Context, message: Message) -> None:
    context.send_egress(kafka_egress_message(typename="example/kafka", topic="topic", value="text", key="key"))
    context.send_egress(kafka_egress_message("example/kafka", "topic", 3, value_type=IntType))
    context.send_egress(kinesis_egress_message("example/kinesis", stream="s", value=b"bytes", partition_key="key"))
    context.send_egress(egress_message_builder("example/egress", "text", StringType))
    kafka = KafkaEgressBuilder(target=TypeName.parse("example/kafka"), topic="topic", value="text")
    context.send_egress(kafka.to_egress_message())
    kinesis = KinesisEgressBuilder(target=COUNTER, stream="stream", partition_key="key", value=b"")
    context.send_egress(kinesis.to_egress_message())


@functions.bind("example/caller", [SEEN])
async def caller(context: Context, message: Message) -> None:
    if context.caller is not None:
        context.send(message_builder(context.caller.typename, context.caller.id, bool_value=True))
    assert_type(context.address.id, str)
    assert_type(context.address.typename, str)
    assert_type(context.address.function_type, TypeName)
    assert_type(context.address.namespace, str)


class Callable:
    async def __call__(self, context: Context, message: Message) -> None: ...


functions.register("example/callable", Callable(), [SEEN])
functions.with_spec(StatefulFunctionSpec("example/spec", greeter, [SEEN]))
handler = RequestReplyHandler(functions)
assert_type(handler.handle_sync(b""), bytes)


async def serve() -> None:
    assert_type(await handler.handle_async(b""), bytes)
    assert_type(functions.as_handler(), RequestReplyHandler)


assert_type(str(COUNTER), str)
assert_type(sorted([COUNTER, TypeName.from_parts("example", "other")]), list[TypeName])
