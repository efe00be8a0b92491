"""The sweep for values that expired, over every store."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Address, Arrival, Effects, ExpireMode, StateSpec, Store
from statefun_runtime.reading import answer_reads
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.queries import read_values
from statefun_runtime.store.recovery import recover
from statefun_runtime.store.rocksdb import RocksDBStore
from statefun_runtime.sweep import ExpirySweep

SPECS = (StateSpec("kept", "test/text"), StateSpec("short", "test/text", ExpireMode.AFTER_WRITE, 100))
VALUE = TypedValue(typename="test/text", has_value=True, value=b"x").SerializeToString()
ADDRESSES: list[Address] = [("test/f", str(number)) for number in range(10)]


@pytest.fixture(params=["memory", "rocksdb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store: Store = MemoryStore() if request.param == "memory" else RocksDBStore(tmp_path)
    yield store
    store.close()


def started(store: Store, now: int) -> Engine:
    engine = Engine(recover(store), [], Limits(), Random(0))
    engine.declare("test/f", SPECS)
    engine.tick(now)
    return engine


def commit(engine: Engine, store: Store) -> None:
    epoch = engine.cut()
    if epoch is not None:
        store.commit(changes_of(epoch, engine.lineage))
        engine.committed(epoch)


def fill(store: Store) -> None:
    """Let each address have both values, written at 1000."""
    engine = started(store, 1000)
    engine.accept("ingress", [Arrival(address, b"1") for address in ADDRESSES], "", None)
    answer_reads(engine, store)
    for batch in engine.next_batches(100):
        effects = Effects()
        effects.mutations = {"kept": VALUE, "short": VALUE}
        engine.reply(batch, effects)
    commit(engine, store)


def names(store: Store) -> list[set[str]]:
    return [set(values) for values in read_values(store, ADDRESSES)]


def test_values_that_nobody_asks_for_are_deleted(store: Store) -> None:
    fill(store)
    engine = started(store, 1100)
    assert ExpirySweep(engine, store).step(100) == 10
    commit(engine, store)
    assert names(store) == [{"kept"}] * 10


def test_values_whose_time_is_not_over_stay(store: Store) -> None:
    fill(store)
    engine = started(store, 1099)
    assert ExpirySweep(engine, store).step(100) == 0
    assert engine.cut() is None


def test_a_sweep_goes_on_where_it_was_and_begins_anew_at_the_end(store: Store) -> None:
    fill(store)
    engine = started(store, 1100)
    sweep = ExpirySweep(engine, store)
    assert [sweep.step(4) for _ in range(3)] == [4, 4, 2]
    commit(engine, store)
    assert sweep.step(100) == 0


def test_an_address_in_memory_is_left_to_its_next_call(store: Store) -> None:
    fill(store)
    engine = started(store, 1100)
    engine.accept("ingress", [Arrival(ADDRESSES[3], b"2")], "", None)
    assert ExpirySweep(engine, store).step(100) == 9


def test_before_a_function_has_said_its_states_anew_nothing_is_deleted(store: Store) -> None:
    fill(store)
    engine = Engine(recover(store), [], Limits(), Random(0))
    engine.tick(5000)
    assert ExpirySweep(engine, store).step(100) == 0
