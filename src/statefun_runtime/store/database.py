"""RocksDB as the store uses it: its options, and its errors in the runtime's words."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rocksdict import AccessType, BlockBasedOptions, Cache, DBRecoveryMode, Options, Rdict, WriteBufferManager

from statefun_runtime.errors import DamagedError, DiskError, StoreError, StoreLockedError
from statefun_runtime.interfaces import Table

_CACHE_BYTES = 128 * 1024 * 1024
_MEMTABLES_BYTES = 64 * 1024 * 1024
_LOGS_BYTES = 128 * 1024 * 1024
"""A table that hardly changes would keep all logs since its last change, and a start would read them."""
MEMTABLE_BYTES = 16 * 1024 * 1024
_DAMAGE = ("Corruption", "No such file or directory")
_READ_ONLY = AccessType.read_only(error_if_log_file_exist=False)
_DISK = ("IO error", "os error")
"""Of RocksDB and of its binding."""
_LOCKED = ("While lock file", "lock hold by current process")


def open_database(path: Path, tables: Iterable[Table], *, read_only: bool, create: bool = False) -> Rdict:
    """Open these tables of the database in the directory `path`; to read only, they must be among `tables_in`.

    Raises:
        StoreLockedError: Something else than this runtime has it open.
        DamagedError: A file is missing, or is not what was written.
        DiskError: The disk does not take or give data.
    """
    options = _options()
    options.create_if_missing(create)
    options.create_missing_column_families(not read_only)
    access = _READ_ONLY if read_only else AccessType.read_write()
    try:
        return Rdict(str(path), options, column_families={table.value: options for table in tables}, access_type=access)
    except Exception as error:
        if any(mark in str(error) for mark in _LOCKED):
            raise StoreLockedError(f"another program has {path} open; stop it ({error})") from error
        raise store_error(f"the store at {path} cannot be opened", error) from error


def tables_in(path: Path) -> list[Table]:
    """The tables that the database at `path` has: an older version knew fewer, and only who opens it to write adds any.

    Raises:
        DamagedError: A file is missing, or is not what was written.
        DiskError: The disk does not give data.
    """
    try:
        names = set(Rdict.list_cf(str(path)))
    except Exception as error:
        raise store_error(f"the store at {path} cannot be opened", error) from error
    return [table for table in Table if table.value in names]


class Extent(NamedTuple):
    """How far a database goes: the number of its newest change, and that of the oldest log that it still needs."""

    sequence: int
    oldest_log: int


def extent_of(db: Rdict) -> Extent:
    """How far an open database goes."""
    return Extent(db.latest_sequence_number(), db.property_int_value("rocksdb.min-log-number-to-keep") or 0)


def read_extent(path: Path) -> Extent:
    """How far the database at `path` goes, all its tables together. Raises as `open_database` does."""
    options = _options()
    try:
        # Without any of our tables: the log and the list of files tell it.
        db = Rdict(str(path), options, column_families={}, access_type=_READ_ONLY)
    except Exception as error:
        raise store_error(f"the store at {path} cannot be opened", error) from error
    extent = extent_of(db)
    db.close()
    return extent


def store_error(what: str, error: Exception) -> StoreError:
    """The error for something that RocksDB refused to do; `what` says what that was."""
    text = str(error)
    if any(mark in text for mark in _DAMAGE):
        return DamagedError(f"{what}: a file is damaged or missing: {text}. Repair the disk and restore a savepoint")
    if any(mark in text for mark in _DISK):
        return DiskError(f"{what}: {text}. Free space or repair the disk, then start the runtime again")
    return StoreError(f"{what}: {text}")


def _options() -> Options:
    cache = Cache(_CACHE_BYTES)
    tables = BlockBasedOptions()
    tables.set_block_cache(cache)
    tables.set_bloom_filter(10, block_based=False)
    tables.set_format_version(5)
    options = Options(raw_mode=True)
    options.set_block_based_table_factory(tables)
    options.set_write_buffer_manager(
        WriteBufferManager.new_write_buffer_manager_with_cache(_MEMTABLES_BYTES, False, cache)
    )
    options.set_write_buffer_size(MEMTABLE_BYTES)
    options.set_max_total_wal_size(_LOGS_BYTES)
    options.set_max_background_jobs(2)
    options.set_keep_log_file_num(4)
    # A torn last record was never acknowledged; anything else that is damaged must be refused, not rolled back.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    return options
