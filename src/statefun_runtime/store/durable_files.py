"""The files that tell what is in a store, its logs and its list of files: how much of each is durable, or must be."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from statefun_runtime.store.log_records import end_of_records

CURRENT = "CURRENT"
"""Names the list of files."""
_LOG = ".log"


class DurableFiles:
    """Knows how much of each file is durable, at the price of one look at the log and one at the list a commit."""

    def __init__(self, store: Path) -> None:
        """Args: `store` is the directory of a database that is open to write. Raises OSError."""
        self._store = store
        self._logs: dict[str, int] = {}
        self._log = ""
        self._list = current_list(store)
        self._list_end = 0

    def after_sync(self) -> dict[str, int]:
        """The durable lengths, after all logs were synced. Raises OSError."""
        size = _size(self._store / self._log) if self._log else 0
        if size > self._logs.get(self._log, 0):
            self._logs[self._log] = size
        else:
            self._find_logs()
        return {**self._logs, **self._list_length()}

    def _find_logs(self) -> None:
        names = sorted(path.name for path in self._store.iterdir() if path.suffix == _LOG)
        self._logs = {name: size for name in names if (size := _size(self._store / name))}
        self._log = names[-1] if names else ""

    def _list_length(self) -> dict[str, int]:
        if _size(self._store / self._list) > self._list_end:
            # RocksDB may be adding a record on another thread: what is whole is synced here and now.
            descriptor = os.open(self._store / self._list, os.O_RDONLY)
            try:
                self._list_end = end_of_records(descriptor, self._list_end)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        return {self._list: self._list_end}


def current_list(store: Path) -> str:
    """The name of the list of files. Raises OSError."""
    return (store / CURRENT).read_text(encoding="ascii", errors="replace").strip()


def names_in(store: Path) -> frozenset[str]:
    """The names of all files that are there now. Raises OSError."""
    return frozenset(path.name for path in store.iterdir())


def logs_from(oldest: int, names: Iterable[str]) -> set[str]:
    """Those of the names that are logs, from the number `oldest` on."""
    return {name for name in names if name.endswith(_LOG) and int(name.removesuffix(_LOG)) >= oldest}


def missing_in_list(store: Path, files: Mapping[str, int]) -> str | None:
    """What is not there of the list of files that was durable; `None` if nothing is missing, or a newer list followed.

    To be called before the database is opened: on a list with a record of a type for reused files RocksDB never ends.

    Raises:
        OSError: A file cannot be read.
    """
    lists = {name: length for name, length in files.items() if not name.endswith(_LOG) and name >= current_list(store)}
    return _missing(store, lists)


def missing_in_logs(store: Path, files: Mapping[str, int], oldest: int) -> str | None:
    """What is not there of the logs that were durable; those before number `oldest` are not needed any more.

    Raises:
        OSError: A file cannot be read.
    """
    return _missing(store, {name: files[name] for name in logs_from(oldest, files)})


def _missing(store: Path, files: Mapping[str, int]) -> str | None:
    for name, length in files.items():
        found = _whole(store / name)
        if found is None:
            return f"{store / name} is gone"
        if found < length:
            return f"of {store / name} {length} bytes were durable, and it can be read up to byte {found}"
    return None


def _whole(file: Path) -> int | None:
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return end_of_records(descriptor)
    finally:
        os.close(descriptor)


def _size(file: Path) -> int:
    """Of a file that RocksDB may remove meanwhile."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
