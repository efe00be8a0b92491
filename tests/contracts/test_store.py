"""What every store promises to the engine."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Changes, Store, Table
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.rocksdb import RocksDBStore

STORES: dict[str, Callable[[Path], Store]] = {"memory": lambda _: MemoryStore(), "rocksdb": RocksDBStore}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path / "data")
    yield opened
    opened.close()


def put(*rows: tuple[bytes, bytes], table: Table = Table.STATE) -> Changes:
    return Changes(puts=[(table, key, value) for key, value in rows])


def test_values_come_back_in_the_order_of_their_keys_and_none_where_there_is_no_row(store: Store) -> None:
    store.commit(put((b"a", b"1"), (b"b", b"")))
    assert store.get_many(Table.STATE, [b"b", b"missing", b"a"]) == [b"", None, b"1"]
    assert store.get_many(Table.STATE, []) == []


def test_tables_are_apart(store: Store) -> None:
    store.commit(put((b"a", b"1")))
    assert store.get_many(Table.MAILBOX, [b"a"]) == [None]
    assert list(store.scan(Table.MAILBOX)) == []


def test_a_scan_is_ordered_and_keeps_to_its_bounds(store: Store) -> None:
    rows = [(bytes([n]), bytes([n])) for n in (0, 7, 3, 255, 128)]
    store.commit(put(*rows))
    assert [key for key, _ in store.scan(Table.STATE)] == [b"\x00", b"\x03", b"\x07", b"\x80", b"\xff"]
    assert [key for key, _ in store.scan(Table.STATE, b"\x03", b"\x80")] == [b"\x03", b"\x07"]
    assert [key for key, _ in store.scan(Table.STATE, b"\x08")] == [b"\x80", b"\xff"]


def test_a_scan_shows_the_rows_as_of_its_call(store: Store) -> None:
    store.commit(put((b"a", b"1"), (b"b", b"2")))
    rows = store.scan(Table.STATE)
    store.commit(Changes(deletes=[(Table.STATE, b"b")], puts=[(Table.STATE, b"c", b"3")]))
    assert list(rows) == [(b"a", b"1"), (b"b", b"2")]


def test_all_deletes_happen_before_all_puts(store: Store) -> None:
    store.commit(put((b"a", b"1"), (b"b", b"2")))
    deletes = [(Table.STATE, b"a"), (Table.STATE, b"b"), (Table.STATE, b"never there")]
    store.commit(Changes(deletes=deletes, puts=[(Table.STATE, b"a", b"new")]))
    assert list(store.scan(Table.STATE)) == [(b"a", b"new")]


def test_a_closed_store_may_be_closed_again_and_answers_nothing(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError):
        store.get_many(Table.STATE, [b"a"])
