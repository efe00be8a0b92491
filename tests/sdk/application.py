"""An application for the tests of what serves handlers: each of its functions ends in another way."""

import asyncio
from datetime import timedelta

from statefun import Context, Message, Reject, RequestReplyHandler, RetryLater, StatefulFunctions, message_builder

functions = StatefulFunctions()


@functions.bind("example/greets")
async def greets(context: Context, message: Message) -> None:
    await asyncio.sleep(0)
    context.send(message_builder("example/next", "a", str_value=f"hi {message.as_string()}"))


@functions.bind("example/nothing")
def nothing(context: Context, message: Message) -> None:
    """Has no effects."""


@functions.bind("example/fails")
def fails(context: Context, message: Message) -> None:
    raise LookupError("no such thing")


@functions.bind("example/later")
def later(context: Context, message: Message) -> None:
    raise RetryLater(timedelta(seconds=2.1), "the warehouse is closed")


@functions.bind("example/rejects")
def rejects(context: Context, message: Message) -> None:
    raise Reject("poison")


MAX_REQUEST_BYTES = 100_000
handler = RequestReplyHandler(functions, max_request_bytes=MAX_REQUEST_BYTES)
