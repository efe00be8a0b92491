"""The measured application: it counts the messages of an address and sends on each, with the time of its call."""

import time

from statefun import Context, IntType, Message, StatefulFunctions, ValueSpec, kafka_egress_message

functions = StatefulFunctions()
OUT = "out"


@functions.bind("bench/counter", specs=[ValueSpec("count", IntType)])
def counter(context: Context, message: Message) -> None:
    """Send `<time of the call> <value of the record>` to the topic `out` under the id."""
    context.storage.count = (context.storage.count or 0) + 1
    value = b"%.6f %b" % (time.time(), message.raw_value() or b"")
    context.send_egress(kafka_egress_message("bench/out", topic=OUT, value=value, key=context.address.id))
