"""Functions with states of many types, for moving their state; every message to a counter makes it write all."""

import asyncio
from datetime import timedelta
from typing import Any

from statefun import (
    BoolType,
    Context,
    DoubleType,
    FloatType,
    IntType,
    LongType,
    Message,
    StatefulFunctions,
    StringType,
    ValueSpec,
    egress_message_builder,
    make_json_type,
    message_builder,
)

COUNTER = "com.example.counting/counter"
TALLY = "com.example.counting/tally"
PROFILE = make_json_type("com.example/Profile")
RECORD = make_json_type("io.statefun.playground/EgressRecord")
NAMES = ("plain", "älter", "東京", "🎉 party", "with/slash", "with.dot", 'quote"s', " ", "line\nbreak", "null\0byte")
functions = StatefulFunctions()


def ids(number: int) -> list[str]:
    """So many different ids of counters, in many scripts."""
    return [f"{NAMES[index % len(NAMES)]}{index}" for index in range(number)]


def expected(identifier: str, count: int) -> dict[str, Any]:
    """The values of a counter after so many messages; of the type float some that it holds exactly."""
    return {
        "count": count,
        "total": count << 40,
        "name": identifier,
        "even": count % 2 == 0,
        "half": count / 2,
        "third": count / 3,
        "profile": {"name": identifier, "counts": list(range(count))},
        "first": "once",
    }


@functions.bind(
    COUNTER,
    specs=[
        ValueSpec("count", IntType),
        ValueSpec("total", LongType),
        ValueSpec("name", StringType),
        ValueSpec("even", BoolType),
        ValueSpec("half", FloatType),
        ValueSpec("third", DoubleType),
        ValueSpec("profile", PROFILE),
        ValueSpec("first", StringType, expire_after_write=timedelta(days=1)),
    ],
)
def counter(context: Context, message: Message) -> None:
    """Count, in every type; tell the tally of this run."""
    count = (context.storage.count or 0) + 1
    for name, value in expected(context.address.id, count).items():
        if name != "first" or context.storage.first is None:
            setattr(context.storage, name, value)
    context.send(message_builder(target_typename=TALLY, target_id=str(message.as_string()), int_value=count))


@functions.bind(TALLY, specs=[ValueSpec("waiting", IntType), ValueSpec("counts", make_json_type("com.example/Counts"))])
def tally(context: Context, message: Message) -> None:
    """Send each of a number of counters a message; when all have answered, tell the egress which counts they have."""
    storage = context.storage
    if message.is_string():
        number = int(str(message.as_string()))
        storage.waiting, storage.counts = number, []
        for identifier in ids(number):
            context.send(message_builder(target_typename=COUNTER, target_id=identifier, str_value=context.address.id))
        return
    storage.waiting -= 1
    storage.counts = sorted({*storage.counts, message.as_int()})
    if storage.waiting == 0:
        record = {"topic": context.address.id, "payload": str(storage.counts)}
        context.send_egress(
            egress_message_builder(target_typename="io.statefun.playground/egress", value=record, value_type=RECORD)
        )


@functions.bind("com.example.counting/reminder")
async def reminder(context: Context, message: Message) -> None:
    """Send itself a message that comes in an hour; wait for as many seconds as the message says."""
    await asyncio.sleep(float(str(message.as_string())))
    again = message_builder(target_typename=context.address.typename, target_id=context.address.id, str_value="0")
    context.send_after(timedelta(hours=1), again, cancellation_token="späť")
