"""A new data directory from a savepoint: the same content, as the beginning of a new lineage.

The old lineage may have gone on after the savepoint, and may still be running. So nothing that it tells others, by
(lineage, epoch), may be mistaken for what the restored system tells.
"""

import os
import shutil
import uuid
from collections.abc import Generator
from contextlib import closing, contextmanager
from enum import Enum
from pathlib import Path

from statefun_runtime.errors import StoreError
from statefun_runtime.file_sync import sync, sync_tree
from statefun_runtime.interfaces import Changes, Store, Table
from statefun_runtime.store import rows
from statefun_runtime.store.changes import LINEAGE
from statefun_runtime.store.data_directory import FORMAT_FILE, STORE
from statefun_runtime.store.rocksdb import RocksDBStore
from statefun_runtime.store.savepoint import Savepoint, check_savepoint, data_of

_BUILDING = "building"
_TABLE_FILE = ".sst"
_FOREIGN = {"lost+found"}
"""What a file system puts into its root by itself."""


class EgressFiles(Enum):
    """What becomes of files that file egresses wrote, which may have grown after the savepoint."""

    CHECK = "check"
    """One that has grown is an error when the runtime starts."""
    CUT = "cut"
    """It is cut to its length at the savepoint."""
    NEW = "new"
    """It is forgotten: the egress begins a new file."""


def restore_savepoint(path: Path, data_dir: Path, egress_files: EgressFiles = EgressFiles.CHECK) -> Savepoint:
    """Make the savepoint at `path` a data directory of a new lineage at `data_dir`, which must be new or empty.

    Raises:
        StoreError: The savepoint is damaged, or the directory cannot be used; then it is left as it was.
    """
    savepoint = check_savepoint(path)
    with new_data_directory(data_dir) as building:
        for file in savepoint.files:
            _bring(data_of(path) / file.path, building / file.path)
        with closing(RocksDBStore(building)) as store:
            store.commit(begin_lineage(store, uuid.uuid4().hex, egress_files))
    return savepoint


def begin_lineage(store: Store, lineage: str, egress_files: EgressFiles) -> Changes:
    """What makes a copy of a store the beginning of `lineage`."""
    changes = Changes(puts=[(Table.META, LINEAGE, rows.bytes_row(lineage.encode()))])
    for key, row in store.scan(Table.SINKS):
        if egress_files is EgressFiles.CUT:
            changes.puts.append((Table.SINKS, key, rows.sink_row(lineage, rows.read_sink(row).position)))
        elif egress_files is EgressFiles.NEW:
            changes.deletes.append((Table.SINKS, key))
    return changes


@contextmanager
def new_data_directory(path: Path) -> Generator[Path]:
    """A directory to build a data directory in, which becomes `path` when the block ends without error.

    `path` must be new or empty. Until the end it has a store without a format, which no runtime starts on.

    Raises:
        StoreError: It is neither, or cannot be written.
    """
    is_new = not path.exists()
    building = path / _BUILDING
    try:
        path.mkdir(parents=True, mode=0o700, exist_ok=True)
        if {entry.name for entry in path.iterdir()} - _FOREIGN:
            raise StoreError(f"{path} is not empty; name a new or an empty directory")
        (path / STORE).mkdir(mode=0o700)
        building.mkdir(mode=0o700)
    except OSError as error:
        raise StoreError(f"the data directory {path} cannot be made: {error}; name another one") from error
    try:
        yield building
        sync_tree(building)
        _move_in(building, path)
    except BaseException as error:
        shutil.rmtree(path / STORE, ignore_errors=True)
        shutil.rmtree(path if is_new else building, ignore_errors=True)
        if isinstance(error, OSError):
            raise StoreError(f"the data directory {path} cannot be made: {error}; name another one") from error
        raise


def _move_in(building: Path, path: Path) -> None:
    """Move everything up, durably; what says that the directory is whole comes last. The files are synced already."""
    names = sorted(entry.name for entry in building.iterdir() if entry.name != FORMAT_FILE)
    for name in names:
        (building / name).replace(path / name)
    sync(path)
    (building / FORMAT_FILE).replace(path / FORMAT_FILE)
    building.rmdir()
    sync(path)


def _bring(source: Path, target: Path) -> None:
    """Link a table file, which never changes; copy any other file, and all of them over to another file system."""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    if source.suffix == _TABLE_FILE:
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links; what else is wrong the copy tells
            shutil.copyfile(source, target)
    else:
        shutil.copyfile(source, target)
