"""The application of the end-to-end tests: it remembers every message, so that lost and doubled ones show."""

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

from statefun import (
    Context,
    IntType,
    Message,
    Reject,
    StatefulFunctions,
    StringType,
    ValueSpec,
    egress_message_builder,
    make_json_type,
    message_builder,
)

APPLIED = make_json_type("e2e/Applied")
RECORD = make_json_type("io.statefun.playground/EgressRecord")
functions = StatefulFunctions()


@functions.bind("e2e/greeter", specs=[ValueSpec("seen", IntType), ValueSpec("applied", APPLIED)])
def greeter(context: Context, message: Message) -> None:
    """Count messages, remember them in order, and tell each to the egress."""
    text = message.as_string()
    context.storage.seen = (context.storage.seen or 0) + 1
    context.storage.applied = [*(context.storage.applied or []), text]
    context.send_egress(
        egress_message_builder(
            target_typename="io.statefun.playground/egress",
            value={"topic": "greetings", "payload": f"{context.address.id} {text}"},
            value_type=RECORD,
        )
    )


@functions.bind("e2e/teller")
def teller(context: Context, message: Message) -> None:
    """Tell each message to the subscription egress."""
    context.send_egress(
        egress_message_builder(
            target_typename="e2e/told", value=f"{context.address.id} {message.as_string()}", value_type=StringType
        )
    )


expiring = StatefulFunctions()
"""A later version of the greeter: its count expires."""
COUNT = ValueSpec("seen", IntType, expire_after_write=timedelta(hours=1))
expiring.bind("e2e/greeter", specs=[COUNT, ValueSpec("applied", APPLIED)])(greeter)


@functions.bind("e2e/silent")
def silent(context: Context, message: Message) -> None:
    """Take any message."""


def began(message: Message) -> None:
    """Make the file that the message names."""
    Path(message.as_string() or "").touch()


@functions.bind("e2e/waiter")
async def waiter(context: Context, message: Message) -> None:
    """Never end, but let others run."""
    began(message)
    await asyncio.Event().wait()


@functions.bind("e2e/blocker")
def blocker(context: Context, message: Message) -> None:
    """Keep the thread of the runtime."""
    began(message)
    while True:
        time.sleep(0.01)


@functions.bind("e2e/deadly", specs=[ValueSpec("seen", IntType)])
def deadly(context: Context, message: Message) -> None:
    """End the process at the first call, by a file that the message names."""
    file = Path(message.as_string() or "")
    if not file.exists():
        file.touch()
        os._exit(3)
    context.storage.seen = (context.storage.seen or 0) + 1


@functions.bind("e2e/picky", specs=[ValueSpec("applied", APPLIED)])
def picky(context: Context, message: Message) -> None:
    """Remember the message; refuse one that names a file which is not there."""
    text = message.as_string() or ""
    if text.startswith("/") and not Path(text).exists():
        raise Reject(f"{text} is not there")
    context.storage.applied = [*(context.storage.applied or []), text]


@functions.bind("e2e/chain", specs=[ValueSpec("seen", IntType)])
async def chain(context: Context, message: Message) -> None:
    """Send on as many messages as the message says, slowly, and one that is due in a day."""
    left = message.as_int()
    context.storage.seen = (context.storage.seen or 0) + 1
    await asyncio.sleep(0.02)
    if left:
        context.send(message_builder(target_typename="e2e/chain", target_id=context.address.id, int_value=left - 1))
    else:
        context.send_after(
            timedelta(days=1),
            message_builder(target_typename="e2e/chain", target_id="later", int_value=0),
            cancellation_token="tomorrow",
        )


@functions.bind("e2e/gate", specs=[ValueSpec("seen", IntType)])
async def gate(context: Context, message: Message) -> None:
    """Count messages, each when the file that it names is there."""
    while not Path(message.as_string() or "").exists():  # noqa: ASYNC110, ASYNC240  # no event crosses processes
        await asyncio.sleep(0.01)
    context.storage.seen = (context.storage.seen or 0) + 1


@functions.bind("e2e/broken")
def broken(context: Context, message: Message) -> None:
    """Fail for good."""
    raise Reject("broken on purpose")


@functions.bind("e2e/tally", specs=[ValueSpec("count", IntType)])
async def tally(context: Context, message: Message) -> None:
    """Count messages and reply with the count; one that names a file waits until it is there."""
    text = message.as_string() or ""
    while text.startswith("/") and not Path(text).exists():  # noqa: ASYNC110, ASYNC240  # no event crosses processes
        await asyncio.sleep(0.01)
    context.storage.count = (context.storage.count or 0) + 1
    if context.caller is not None:
        context.send(message_builder(context.caller.typename, context.caller.id, int_value=context.storage.count))
