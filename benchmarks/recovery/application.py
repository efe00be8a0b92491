"""The application that leaves messages behind when it is killed: what sends them, and what they are for."""

from random import Random

from benchmarks.pipeline.application import hot
from statefun import Context, IntType, Message, StatefulFunctions, ValueSpec, message_builder

AT_ONCE = 100
"""Messages that one message sends."""
ADDRESSES = 100_000

functions = StatefulFunctions()
functions.bind("benchmarks/hot", specs=[ValueSpec("count", IntType)])(hot)
senders = StatefulFunctions()
"""Without the function that its messages are for."""


@functions.bind("benchmarks/fan")
@senders.bind("benchmarks/fan")
def fan(context: Context, message: Message) -> None:
    """Send messages to random addresses."""
    random = Random(f"{context.address.id} {message.as_double()}")
    for _ in range(AT_ONCE):
        context.send(message_builder("benchmarks/hot", str(random.randrange(ADDRESSES)), int_value=1))
