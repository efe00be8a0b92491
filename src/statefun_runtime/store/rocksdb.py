"""The durable store: RocksDB, one column family a table, one synced write batch an epoch."""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast
from weakref import WeakSet

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    Checkpoint,
    DBRecoveryMode,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteBufferManager,
    WriteOptions,
)

from statefun_runtime.errors import FormatError, StoreError, StoreLockedError
from statefun_runtime.interfaces import Changes, Store, Table

FORMAT = b"1"
_FORMAT_FILE = "FORMAT"
_CACHE_BYTES = 128 * 1024 * 1024
_MEMTABLE_BYTES = 64 * 1024 * 1024
_LOCK_ATTEMPT_SECONDS = 0.1


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
            FormatError: A newer version wrote it.
            StoreError: It cannot be opened.
        """
        self._path = path / "store"
        if read_only:
            check_format(path)
            access = AccessType.read_only(error_if_log_file_exist=False)
        else:
            self._make_directory(path)
            access = AccessType.read_write()
        self._db = _open_waiting(self._path, access, 0.0 if read_only else lock_timeout)
        self._families = {table: self._db.get_column_family(table.value) for table in Table}
        self._handles = {table: self._db.get_column_family_handle(table.value) for table in Table}
        self._scans: WeakSet[_Scan] = WeakSet()
        self._unsynced = WriteOptions()
        self._failed = False
        self._closed = False

    @staticmethod
    def _make_directory(path: Path) -> None:
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            marker = path / _FORMAT_FILE
            if not marker.exists() and not (path / "store").exists():
                _write_synced(marker, FORMAT)
        except OSError as error:
            raise StoreError(f"the data directory {path} cannot be used: {error}; choose another or free it") from error
        check_format(path)

    def get_many(self, table: Table, keys: Sequence[bytes]) -> list[bytes | None]:
        return cast("list[bytes | None]", self._family(table).get(list(keys)))

    def scan(self, table: Table, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        options = ReadOptions()
        if end is not None:
            options.set_iterate_upper_bound(end)
        scan = _Scan(self._family(table).items(from_key=start or None, read_opt=options))
        self._scans.add(scan)
        return scan

    def commit(self, changes: Changes) -> None:
        # An unsynced write and a sync of the log: the sync lets go of the interpreter, a synced write would not.
        self._check_open()
        if self._failed:
            raise StoreError(f"an earlier write to {self._path} failed; restart the runtime")
        batch = WriteBatch(raw_mode=True)
        handles = self._handles
        for table, key in changes.deletes:
            batch.delete(key, handles[table])
        for table, key, value in changes.puts:
            batch.put(key, value, handles[table])
        try:
            self._db.write(batch, self._unsynced)
            self._db.flush_wal(sync=True)
        except Exception as error:
            self._failed = True
            raise StoreError(
                f"writing to {self._path} failed: {error}; nothing after the last durable epoch is released. "
                "Free space or repair the disk, then start the runtime again"
            ) from error

    def checkpoint(self, path: Path) -> None:
        self._check_open()
        try:
            path.mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"the copy to {path} failed: {error}") from error
        try:
            checkpoint = Checkpoint(self._db)
            checkpoint.create_checkpoint(str(path / "store"))
            _write_synced(path / _FORMAT_FILE, FORMAT)
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
        self._db.close()

    def _family(self, table: Table) -> Rdict:
        self._check_open()
        return self._families[table]

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the store at {self._path} is closed")


def check_format(path: Path) -> None:
    """See that `path` is a data directory that this version reads. Raises StoreError, FormatError."""
    try:
        found = (path / _FORMAT_FILE).read_bytes().strip()
    except OSError as error:
        raise StoreError(
            f"{path} is not a data directory of this runtime: {error}; name the right one, or an empty one"
        ) from error
    if found != FORMAT:
        raise FormatError(
            f"the data directory {path} has format {found.decode(errors='replace')}, this version reads "
            f"{FORMAT.decode()}; start the version that wrote it"
        )


class _Scan(Iterator[tuple[bytes, bytes]]):
    """Rows of a table; lets go of the database when the store closes, even if nobody reads it to the end."""

    __slots__ = ("__weakref__", "_rows")

    def __init__(self, rows: object) -> None:
        self._rows: Iterator[tuple[bytes, bytes]] | None = cast("Iterator[tuple[bytes, bytes]]", rows)

    def __next__(self) -> tuple[bytes, bytes]:
        if self._rows is None:
            raise StoreError("the store was closed during a scan")
        return next(self._rows)

    def end(self) -> None:
        self._rows = None


def _write_synced(path: Path, content: bytes) -> None:
    """Make a file that is there as a whole or not at all."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _open_waiting(path: Path, access: AccessType, timeout: float) -> Rdict:
    deadline = time.monotonic() + timeout
    while True:
        try:
            return _open(path, access)
        except Exception as error:
            text = str(error)
            if "LOCK" not in text and "lock" not in text:
                raise StoreError(
                    f"the store at {path} cannot be opened: {text}. If a file is damaged, restore a savepoint"
                ) from error
            if time.monotonic() >= deadline:
                raise StoreLockedError(
                    f"another process owns {path.parent}; stop it, or give this one another data directory ({text})"
                ) from error
        time.sleep(_LOCK_ATTEMPT_SECONDS)


def _open(path: Path, access: AccessType) -> Rdict:
    options = _options(Cache(_CACHE_BYTES))
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    # A torn last record was never acknowledged; anything else that is damaged must be refused, not rolled back.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    options.set_keep_log_file_num(4)
    families = {table.value: options for table in Table}
    with contextlib.suppress(OSError):
        path.mkdir(exist_ok=True, mode=0o700)
    return Rdict(str(path), options, column_families=families, access_type=access)


def _options(cache: Cache) -> Options:
    tables = BlockBasedOptions()
    tables.set_block_cache(cache)
    tables.set_bloom_filter(10, block_based=False)
    tables.set_format_version(5)
    options = Options(raw_mode=True)
    options.set_block_based_table_factory(tables)
    options.set_write_buffer_manager(
        WriteBufferManager.new_write_buffer_manager_with_cache(_MEMTABLE_BYTES, False, cache)
    )
    options.set_write_buffer_size(16 * 1024 * 1024)
    options.set_max_background_jobs(2)
    return options
