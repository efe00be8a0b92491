"""The measured application: a function that needs the processor, one that waits, and one that does neither."""

import asyncio
import json
import time

from statefun import Context, Message, StatefulFunctions, ValueSpec, make_json_type

functions = StatefulFunctions()
WORK = 0.005
"""Seconds of the processor that a message needs."""
WAIT = 1.0
LATENCIES = make_json_type("overload/latencies")
SPECS = [ValueSpec("latencies", LATENCIES)]


def note(context: Context, message: Message) -> None:
    """Keep how many milliseconds passed since the message was sent; so each is counted as well."""
    latency = round(1000 * (time.time() - json.loads(message.as_string() or "")), 1)
    context.storage.latencies = [*(context.storage.latencies or []), latency]


@functions.bind("overload/busy", specs=SPECS)
def busy(context: Context, message: Message) -> None:
    """Keep the processor."""
    until = time.thread_time() + WORK
    while time.thread_time() < until:
        pass
    note(context, message)


@functions.bind("overload/slow", specs=SPECS)
async def slow(context: Context, message: Message) -> None:
    """Wait, as for somebody else's service."""
    await asyncio.sleep(WAIT)
    note(context, message)


@functions.bind("overload/quick", specs=SPECS)
def quick(context: Context, message: Message) -> None:
    """Only note the message."""
    note(context, message)
