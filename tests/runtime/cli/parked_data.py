"""Data directories with parked addresses and dead letters, as a runtime leaves them."""

from contextlib import closing
from pathlib import Path
from typing import Any

from statefun import IntType, StringType, Type
from statefun.wire import encode_typed_value
from statefun_runtime.epoch import DeadLetter, DelayedMessage, Epoch, LetterKind, Parked
from statefun_runtime.interfaces import Address, FailureKind, Payload
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.rocksdb import RocksDBStore

SINCE = 1_700_000_000_000
EVE: Address = ("shop/cart", "eve")
ADA: Address = ("shop/cart", "ada")
BOB: Address = ("shop/stock", "bob")


def payload(type_: Type[Any], content: object) -> Payload:
    return encode_typed_value(type_.typename, type_.serialize(content))


def text(content: str) -> Payload:
    return payload(StringType, content)


def write(path: Path) -> Path:
    """Two parked addresses with messages, two dead letters, two delayed messages."""
    epoch = Epoch(1)
    epoch.sequence, epoch.time = 10, SINCE
    for sequence, (target, content) in enumerate([(EVE, "poison"), (EVE, "fine"), (BOB, "poison")], start=1):
        epoch.born[sequence] = (sequence, target, ADA if sequence == 2 else None, text(content))
    epoch.state[EVE] = {"seen": (SINCE, payload(IntType, 3))}
    epoch.parked[EVE] = Parked(SINCE, 10, "the function fails: boom", FailureKind.TRANSIENT, 2)
    epoch.parked[BOB] = Parked(SINCE, 1, "answered 422", FailureKind.PERMANENT, 1)
    state = {"seen": (SINCE, payload(IntType, 2))}
    letter = (4, ADA, EVE, text("bad"))
    epoch.dead_letters = [
        DeadLetter(SINCE, LetterKind.MESSAGE, "shop/cart", letter, "boom", 10, state),
        DeadLetter(SINCE, LetterKind.EGRESS_RECORD, "shop/mail", (5, BOB, BOB, text("mail")), "no egress", 0, {}),
    ]
    for due, token in ((SINCE + 2000, ""), (SINCE + 1000, "reminder")):
        message = DelayedMessage(due, due - SINCE, ADA, BOB, text(f"at {due - SINCE}"), token)
        epoch.delayed[message.key] = message
    with closing(RocksDBStore(path)) as store:
        store.commit(changes_of(epoch, "lineage"))
    return path


APPLICATION = """
from datetime import timedelta
from statefun import *

functions = StatefulFunctions()
RECORD = make_json_type("shop/Record")


@functions.bind("shop/cart", specs=[
    ValueSpec("seen", IntType), ValueSpec("recent", IntType, expire_after_write=timedelta(seconds=1))
])
async def cart(context, message):
    text = message.as_string()
    if text == "poison":
        raise LookupError("no item poison")
    assert context.storage.recent is None
    context.storage.seen = (context.storage.seen or 0) + 1
    context.send(message_builder(target_typename="shop/stock", target_id="socks", int_value=1))
    context.send_after(
        timedelta(minutes=2),
        message_builder(target_typename="shop/cart", target_id=context.address.id, str_value="again"),
        cancellation_token="again",
    )
    context.cancel_delayed_message("before")
    context.send_egress(egress_message_builder(target_typename="shop/mail", value={"to": text}, value_type=RECORD))


@functions.bind("shop/stock", specs=[ValueSpec("left", IntType)])
def stock(context, message):
    if message.as_string() == "clear":
        del context.storage.left


class Callable:
    def __call__(self, context, message):
        pass


others = StatefulFunctions()
others.register("shop/cart", Callable())
"""
