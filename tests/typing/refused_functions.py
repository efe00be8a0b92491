"""What no function, message or handler can be is refused before it runs."""

from statefun import (
    Address,
    Context,
    IntType,
    Message,
    RequestReplyHandler,
    StatefulFunctions,
    StringType,
    TypeName,
    ValueSpec,
    egress_message_builder,
    kafka_egress_message,
    kinesis_egress_message,
    message_builder,
)

SEEN = ValueSpec("seen", IntType)
functions = StatefulFunctions()


@functions.bind("example/one")  # refused
def one_parameter(context: Context) -> None: ...


@functions.bind("example/three")  # refused
def three_parameters(context: Context, message: Message, more: int) -> None: ...


@functions.bind("example/wrong")  # refused
def wrong_parameter(context: Context, message: str) -> None: ...


@functions.bind("example/specs", specs=["seen"])  # refused
async def specs_of_text(context: Context, message: Message) -> None: ...


@functions.bind(3)  # refused
async def no_typename(context: Context, message: Message) -> None: ...


def sends(context: Context, message: Message) -> None:
    context.send("text")  # refused
    context.send(message_builder("example/counter", 3, int_value=1))  # refused
    context.send(message_builder("example/counter", "id", int_value="one"))  # refused
    context.send(message_builder("example/counter", "id", number=1))  # refused
    context.send_after(5, message)  # refused
    context.cancel_delayed_message(None)  # refused
    context.send_egress(message)  # refused
    context.caller.id  # refused
    context.address = Address(TypeName.parse("example/other"), "id")  # refused


def egresses() -> None:
    kafka_egress_message("example/kafka", "topic", 3, value_type=int)  # refused
    kafka_egress_message("example/kafka", value="text")  # refused
    kinesis_egress_message("example/kinesis", "stream", "text", 3)  # refused
    egress_message_builder("example/egress", 3, StringType)  # refused


RequestReplyHandler([])  # refused
RequestReplyHandler(functions).handle_sync(3)  # refused
TypeName.parse(3)  # refused
Address("example/one")  # refused
