"""Data directories with parked addresses and dead letters, as a runtime leaves them."""

from contextlib import closing
from pathlib import Path
from typing import Any

from statefun import IntType, StringType, Type
from statefun.typed_value import encode_typed_value
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
