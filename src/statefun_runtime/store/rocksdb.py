"""The durable store: RocksDB, one column family a table, one synced write batch an epoch."""

import logging
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import cast
from weakref import WeakSet

from rocksdict import Checkpoint, Rdict, RdictIter, ReadOptions, WriteBatch, WriteOptions

from statefun_runtime.errors import DamagedError, DiskError, StoreError
from statefun_runtime.file_sync import make_directory
from statefun_runtime.interfaces import Changes, Store, Table
from statefun_runtime.store import data_directory, durable_files, durable_mark
from statefun_runtime.store.database import Extent, extent_of, open_database, read_extent, store_error, tables_in
from statefun_runtime.store.durable_files import DurableFiles
from statefun_runtime.store.durable_mark import DurableMark, Mark
from statefun_runtime.store.ownership import Ownership

_READ_SECONDS = 30.0
"""How long a reader looks beside an owner that replaces files all the time."""
_log = logging.getLogger(__name__)


class RocksDBStore(Store):
    """Owns a data directory. A second owner is refused; readers open it beside the live one with `read_only`."""

    def __init__(self, path: Path, *, read_only: bool = False, lock_timeout: float = 5.0) -> None:
        """Open or create the store at `path`.

        Args:
            path: The data directory.
            read_only: See what was durable at the time of opening, without owning the directory.
            lock_timeout: Seconds to wait for a dying owner.

        Raises:
            StoreLockedError: Another process owns the directory.
            FormatError: Another version wrote it.
            DamagedError: Something of what was durable is missing or changed.
            DiskError: The disk does not take or give data.
            StoreError: It is no data directory.
        """
        self._path = path / data_directory.STORE
        self._mark: DurableMark | None = None
        self._failed = False
        with ExitStack() as resources:
            tables = list(Table)
            if read_only:
                data_directory.check_format(path)
                self._db, tables = _open_to_read(path)
                resources.callback(self._db.close)
            else:
                self._own(path, lock_timeout, resources)
            self._families = {table: self._db.get_column_family(table.value) for table in tables}
            self._handles = {table: self._db.get_column_family_handle(table.value) for table in tables}
            self._resources = resources.pop_all()
        self._scans: WeakSet[_Scan] = WeakSet()
        self._unsynced = WriteOptions()
        self._closed = False

    def _own(self, path: Path, lock_timeout: float, resources: ExitStack) -> None:
        try:
            make_directory(path)
            resources.callback(Ownership(path, lock_timeout).release)
            data_directory.prepare(path)
            mark = durable_mark.read(path)
            is_new = not self._path.exists() if mark is None else mark.sequence == 0
            make_directory(self._path)
            if not is_new:
                # Before opening it to write, which tidies up and could remove what is left of a damaged store.
                _check_list(path, mark)
                _check_changes(path, mark, read_extent(self._path))
            durable = DurableMark(path, mark)
            resources.callback(self._close, durable.close)
            self._db = open_database(self._path, Table, read_only=False, create=is_new)
            resources.callback(self._close, self._close_database)
            self._mark, self._files = durable, DurableFiles(self._path)
            self._note_durable(self._db.latest_sequence_number())
        except OSError as error:
            raise DiskError(f"the data directory {path} cannot be used: {error}; choose another or free it") from error

    def get_many(self, table: Table, keys: Sequence[bytes]) -> list[bytes | None]:
        family = self._family(table)
        if family is None:
            return [None] * len(keys)
        try:
            return cast("list[bytes | None]", family.get(list(keys)))
        except Exception as error:
            raise store_error(f"reading {self._path} failed", error) from error

    def scan(self, table: Table, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        family = self._family(table)
        if family is None:
            return iter(())
        options = ReadOptions()
        if end is not None:
            options.set_iterate_upper_bound(end)
        rows = family.iter(options)
        if start:
            rows.seek(start)
        else:
            rows.seek_to_first()
        scan = _Scan(rows, self._path)
        self._scans.add(scan)
        return scan

    def commit(self, changes: Changes) -> None:
        self._check_open()
        if self._mark is None:
            raise StoreError(f"the store at {self._path} was opened to read only")
        if self._failed:
            raise DiskError(f"an earlier write to {self._path} failed; restart the runtime")
        batch = WriteBatch(raw_mode=True)
        handles = self._handles
        for table, key in changes.deletes:
            batch.delete(key, handles[table])
        for table, key, value in changes.puts:
            batch.put(key, value, handles[table])
        try:
            self._write(batch)
            self._note_durable(self._db.latest_sequence_number())
        except Exception as error:
            self._failed = True
            what = f"writing to {self._path} failed; nothing after the last durable epoch is released"
            raise store_error(what, error) from error

    def _write(self, batch: WriteBatch) -> None:
        """An unsynced write and a sync of the log: the sync lets go of the interpreter, a synced write would not."""
        self._db.write(batch, self._unsynced)
        self._db.flush_wal(sync=True)

    def _note_durable(self, sequence: int) -> None:
        if self._mark is not None:
            self._mark.write(Mark(sequence, self._files.after_sync()))

    def checkpoint(self, path: Path) -> None:
        self._check_open()
        try:
            path.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"the copy to {path} failed: {error}") from error
        try:
            mark = Mark(self._db.latest_sequence_number(), {})
            checkpoint = Checkpoint(self._db)
            checkpoint.create_checkpoint(str(path / data_directory.STORE))
            data_directory.label(path, mark)
        except Exception as error:
            shutil.rmtree(path, ignore_errors=True)
            raise StoreError(f"the copy to {path} failed: {error}") from error

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        # The lock is held while any handle lives, iterators included.
        for scan in self._scans:
            scan.end()
        self._families.clear()
        self._handles.clear()
        self._resources.close()

    def _close_database(self) -> None:
        sequence = self._db.latest_sequence_number()
        self._db.close()
        if not self._failed:
            self._note_durable(sequence)

    def _close(self, part: Callable[[], None]) -> None:
        try:
            part()
        except Exception as error:  # noqa: BLE001  the binding has no class of its own for what RocksDB refuses
            # Closing writes what is in memory to tables, and syncs the mark: all of it is in the log already.
            _log.warning("closing %s failed: %s; nothing durable is lost", self._path, error)

    def _family(self, table: Table) -> Rdict | None:
        """The rows of a table; `None` if the store, opened to read only, has no such table yet."""
        self._check_open()
        return self._families.get(table)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the store at {self._path} is closed")


class _Scan(Iterator[tuple[bytes, bytes]]):
    """Rows of a table; lets go of the database when the store closes, even if nobody reads it to the end.

    Not the binding's `items`: they end at a block that cannot be read, as if the table ended there.
    """

    __slots__ = ("__weakref__", "_path", "_rows")

    def __init__(self, rows: RdictIter, path: Path) -> None:
        self._rows: RdictIter | None = rows
        self._path = path

    def __next__(self) -> tuple[bytes, bytes]:
        rows = self._rows
        if rows is None:
            raise StoreError("the store was closed during a scan")
        if not rows.valid():
            self._check(rows)
            raise StopIteration
        row = rows.key(), rows.value()
        rows.next()
        return row

    def _check(self, rows: RdictIter) -> None:
        try:
            rows.status()
        except Exception as error:
            raise store_error(f"reading {self._path} failed", error) from error

    def end(self) -> None:
        self._rows = None


def _open_to_read(path: Path) -> tuple[Rdict, list[Table]]:
    """Open a view of the store as it is now, with the tables that it has.

    A live owner may remove files while RocksDB reads the list of files and then what is in it. So what seems to be
    damage is believed only of files that stay the same; else look again.
    """
    store, deadline = path / data_directory.STORE, time.monotonic() + _READ_SECONDS
    tables: list[Table] | None = None
    while True:
        files = durable_files.names_in(store)
        try:
            if tables is None:
                # Once: it reads the whole list, and while it does so a busy owner replaces the next files. And first:
                # there is damage to the list on which RocksDB would never end.
                _check_list(path, durable_mark.read(path))
                tables = tables_in(store)
            return _open_without_gap(path, tables), tables
        except DamagedError:
            if durable_files.names_in(store) == files or time.monotonic() > deadline:
                raise


def _open_without_gap(path: Path, tables: Collection[Table]) -> Rdict:
    mark, store = durable_mark.read(path), path / data_directory.STORE
    before = durable_files.names_in(store)
    db = open_database(store, tables, read_only=True)
    try:
        extent = extent_of(db)
        _check_changes(path, mark, extent)
        _check_gap(store, before, extent)
    except BaseException:
        db.close()
        raise
    return db


def _check_gap(store: Path, before: frozenset[str], view: Extent) -> None:
    """Raise DamagedError if a log that belongs to a view may have been removed before it was read.

    Logs are removed in the order of their numbers. So none is missing if those that the view begins with, and that were
    there before it was opened, are there now, and there was one.
    """
    now = durable_files.names_in(store)
    needed = durable_files.logs_from(view.oldest_log, before)
    if now != before and not (needed and needed <= now):
        raise DamagedError(f"the logs in {store} are replaced faster than they can be read; try again")


def _check_list(path: Path, mark: Mark | None) -> None:
    if mark is None:
        _log.warning("%s has no %s; whether anything is missing in it is unknown", path, durable_mark.MARK_FILE)
        return
    store = path / data_directory.STORE
    try:
        lost = durable_files.missing_in_list(store, mark.files)
    except FileNotFoundError as error:
        raise DamagedError(f"{error.filename} is gone. Repair the disk and restore a savepoint") from error
    except OSError as error:
        raise DiskError(f"{store} cannot be read: {error}; repair the disk and start again") from error
    if lost is not None:
        raise _loss(path, lost)


def _check_changes(path: Path, mark: Mark | None, found: Extent) -> None:
    if mark is None:
        return
    store = path / data_directory.STORE
    try:
        lost = durable_files.missing_in_logs(store, mark.files, found.oldest_log)
    except OSError as error:
        raise DiskError(f"{store} cannot be read: {error}; repair the disk and start again") from error
    if lost is None and found.sequence < mark.sequence:
        lost = f"{store} was durable up to change {mark.sequence} and ends at {found.sequence}"
    if lost is not None:
        raise _loss(path, lost)


def _loss(path: Path, lost: str) -> DamagedError:
    return DamagedError(
        f"acknowledged data is lost: {lost}. Repair the disk and restore a savepoint. If you remove "
        f"{path / durable_mark.MARK_FILE}, the runtime goes on with what is left: acknowledged messages are missing "
        "then, and records that are out already may go out again"
    )
