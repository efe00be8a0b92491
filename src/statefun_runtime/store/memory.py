"""A store in memory, for tests: the contract of the port without a disk."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Changes, Store, Table


class MemoryStore(Store):
    """Keeps every table as a dict; nothing outlives the object."""

    def __init__(self) -> None:
        self._tables: dict[Table, dict[bytes, bytes]] = {table: {} for table in Table}
        self._sorted: dict[Table, list[bytes]] = {}
        """The keys in order, of tables that were scanned since their last change."""
        self._closed = False

    def get_many(self, table: Table, keys: Sequence[bytes]) -> list[bytes | None]:
        rows = self._open(table)
        return [rows.get(key) for key in keys]

    def scan(self, table: Table, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        rows = self._open(table)
        order = self._sorted.get(table)
        if order is None:
            order = self._sorted[table] = sorted(rows)
        last = len(order) if end is None else bisect_left(order, end)
        return iter([(key, rows[key]) for key in order[bisect_left(order, start) : last]])

    def commit(self, changes: Changes) -> None:
        for table, key in changes.deletes:
            self._open(table).pop(key, None)
            self._sorted.pop(table, None)
        for table, key, value in changes.puts:
            self._open(table)[key] = value
            self._sorted.pop(table, None)

    def copy(self) -> "MemoryStore":
        """Another store with the same content."""
        copy = MemoryStore()
        copy._tables = {table: dict(rows) for table, rows in self._tables.items()}
        return copy

    def checkpoint(self, path: Path) -> None:
        raise StoreError(f"a store in memory cannot be copied to {path}; use a data directory")

    def close(self) -> None:
        self._closed = True

    def _open(self, table: Table) -> dict[bytes, bytes]:
        if self._closed:
            raise StoreError("the store is closed")
        return self._tables[table]
