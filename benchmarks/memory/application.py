"""The measured application: addresses that keep 100 bytes, and messages that have to wait."""

import json
from datetime import timedelta
from random import Random

from statefun import Context, Message, StatefulFunctions, StringType, ValueSpec, message_builder

functions = StatefulFunctions()
AT_ONCE = 100
"""Messages that one record sends."""
STATE = "x" * 100
PAYLOAD = "m" * 50


@functions.bind("memory/keeper", specs=[ValueSpec("kept", StringType)])
def keeper(context: Context, message: Message) -> None:
    """Keep a value; or send messages that wait, to some of as many addresses as the record says."""
    row = json.loads(message.as_string() or "")
    if row["what"] == "keep":
        context.storage.kept = STATE
        return
    random = Random(row["id"])
    for _ in range(AT_ONCE):
        target = str(random.randrange(int(row["addresses"])))
        if row["what"] == "delay":
            delay = timedelta(hours=random.uniform(10, 1000))
            context.send_after(delay, message_builder(target_typename="memory/keeper", target_id=target, value=PAYLOAD))
        else:
            context.send(message_builder(target_typename="memory/down", target_id=target, value=PAYLOAD))
