"""Operations do the same over every store."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Arrival, Failure, FailureKind, Store, Table
from statefun_runtime.operation import Action, Operation, Target
from statefun_runtime.operation_runner import perform
from statefun_runtime.reading import answer_reads
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.queries import read_messages
from statefun_runtime.store.recovery import recover
from statefun_runtime.store.rocksdb import RocksDBStore

STORES: dict[str, Callable[[Path], Store]] = {"memory": lambda _: MemoryStore(), "rocksdb": RocksDBStore}
A = ("test/f", "a")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path / "data")
    yield opened
    opened.close()


def recovered(store: Store) -> Engine:
    return Engine(recover(store), [], Limits(), Random(0))


def commit(engine: Engine, store: Store) -> None:
    epoch = engine.cut()
    if epoch is not None:
        store.commit(changes_of(epoch, engine.lineage))
        engine.committed(epoch)


def park(store: Store, *payloads: bytes) -> None:
    """Leave A parked with these messages."""
    engine = recovered(store)
    engine.accept("ingress", [Arrival(A, payload) for payload in payloads], "", None)
    answer_reads(engine, store)
    [batch] = engine.next_batches(1)
    engine.reply(batch, Failure(FailureKind.PERMANENT, "422"))
    commit(engine, store)


def operate(store: Store, action: Action, *targets: Target) -> list[tuple[bool, str]]:
    """Recover, act, commit: as a command does on a stopped application."""
    engine = recovered(store)
    outcomes = perform(engine, store, Operation(action, targets, "ann"))
    commit(engine, store)
    return [(outcome.done, outcome.text) for outcome in outcomes]


def count(store: Store, table: Table) -> int:
    return len(list(store.scan(table)))


def test_skip_then_resend_puts_the_message_behind_the_others(store: Store) -> None:
    park(store, b"poison", b"2")
    assert operate(store, Action.SKIP, A) == [(True, "1 message to the dead letters, resumed")]
    assert count(store, Table.PARKED) == 0
    assert operate(store, Action.RESEND, 1, 1) == [(True, "sent again to test/f/a")], "once, however often it is named"
    assert count(store, Table.DEAD_LETTERS) == 0
    assert [message[3] for message in read_messages(store, A, 0, 10)[0]] == [b"2", b"poison"]
    assert count(store, Table.JOURNAL) == 2


def test_what_one_operation_did_the_next_one_finds_done(store: Store) -> None:
    park(store, b"1")
    assert operate(store, Action.PURGE, A, ("test/f", "b")) == [
        (True, "1 message to the dead letters, resumed"),
        (False, "is not parked"),
    ]
    assert operate(store, Action.RESUME, A) == [(False, "is not parked")]
    assert operate(store, Action.DELETE, 1, 2) == [(True, "deleted"), (False, "is no dead letter")]
    assert operate(store, Action.RESEND, 1) == [(False, "is no dead letter")]
    assert count(store, Table.JOURNAL) == 2


def test_an_operation_that_does_nothing_writes_nothing(store: Store) -> None:
    park(store, b"1")
    before = recover(store).epoch
    operate(store, Action.DELETE, 7)
    assert recover(store).epoch == before
