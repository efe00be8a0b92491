"""Reads a data directory without owning it, beside a live runtime or after it has stopped."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from statefun_runtime.epoch import Parked
from statefun_runtime.interfaces import Address, Payload, Table
from statefun_runtime.store import keys, rows
from statefun_runtime.store.rocksdb import RocksDBStore


class StateRecord(NamedTuple):
    """A durable value: of which address, under which name, and its encoded `TypedValue`."""

    typename: str
    id: str
    name: str
    payload: Payload


def read_states(data_dir: Path, typename: str | None = None, id_prefix: str = "") -> Iterator[StateRecord]:
    """All durable values, ordered by address; expired ones that were not yet deleted too.

    Args:
        data_dir: The data directory of a runtime.
        typename: Only of this function type.
        id_prefix: Only of ids that begin so; needs a typename.

    Raises:
        StoreError: There is no readable store.
    """
    start, end = _range(typename, id_prefix)
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        for key, row in store.scan(Table.STATE, start, end):
            (found, identifier), _ = keys.read_address(key)
            for name, (_, payload) in rows.read_state(row).items():
                yield StateRecord(found, identifier, name, payload)


def _range(typename: str | None, id_prefix: str) -> tuple[bytes, bytes | None]:
    if typename is None:
        return b"", None
    # Without the NUL that ends a text, its ordered form is a prefix of those of all longer ones.
    start = keys.text_key(typename) + keys.text_key(id_prefix)[:-1]
    return start, keys.after_prefix(start)


def read_parked(data_dir: Path) -> Iterator[tuple[Address, Parked]]:
    """The addresses that are parked, and why.

    Raises:
        StoreError: There is no readable store.
    """
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        for key, row in store.scan(Table.PARKED):
            yield keys.read_address(key)[0], rows.read_parked(row)
