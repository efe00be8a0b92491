"""Savepoints: named, consistent copies of a data directory, kept within it.

    <data directory>/savepoints/<name>/savepoint.json   what it is, with the checksums of its files
    <data directory>/savepoints/<name>/data/            a data directory; its tables are hard links where possible

A savepoint is there as a whole or not at all: it is made under a hidden name, and renamed when all of it is on disk.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from statefun.version import __version__
from statefun_runtime.errors import FormatError, StoreError
from statefun_runtime.file_sync import sync, sync_tree
from statefun_runtime.interfaces import Store, Table
from statefun_runtime.store.recovery import read_head
from statefun_runtime.store.rocksdb import RocksDBStore

FORMAT = 1
"""Of a savepoint's description; that of the data within it is the store's own."""
DIRECTORY = "savepoints"
_DESCRIPTION = "savepoint.json"
_DATA = "data"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNFINISHED = ".unfinished-"
_BLOCK = 1 << 20


def _relative(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError("must stay within the savepoint")
    return path


class SavepointFile(BaseModel):
    """A file of a savepoint; `path` is relative to its data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[str, AfterValidator(_relative)]
    size: int
    sha256: str


class Savepoint(BaseModel):
    """What a savepoint is. `epoch` is the last one in it, `time` its engine time in milliseconds since the epoch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: str
    lineage: str
    epoch: int
    time: int
    created_at: datetime
    statefun: str
    """The version that made it."""
    files: tuple[SavepointFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files; those that are hard links take no room of their own at first."""
        return sum(file.size for file in self.files)


def default_name() -> str:
    """A name that says when: `20261124T121500.123Z`."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z"


def data_of(path: Path) -> Path:
    """The data directory within the savepoint at `path`. It may be read; no runtime may run on it."""
    return path / _DATA


def refuse_savepoint(data_dir: Path) -> None:
    """Raise StoreError if `data_dir` is the data of a savepoint: a runtime would change it."""
    if (data_dir.resolve().parent / _DESCRIPTION).exists():
        raise StoreError(f"{data_dir} belongs to a savepoint; restore it into a directory of its own and run that")


def locate(data_dir: Path, name: str) -> Path:
    """The directory of a savepoint: a name within `data_dir`, or a path if `name` has a slash in it."""
    return Path(name) if "/" in name else data_dir / DIRECTORY / name


def take_savepoint(data_dir: Path, name: str, checkpoint: Callable[[Path], object]) -> Savepoint:
    """Make the savepoint `name` of the store in `data_dir`, which the caller owns.

    Args:
        data_dir: Where the store is.
        name: A new name: letters, digits, dots, hyphens and underscores.
        checkpoint: Copies the store as of its last commit, as `Store.checkpoint` does.

    Raises:
        StoreError: The name is taken or no name, the store is empty, or the copy cannot be made.
    """
    if not _NAME.fullmatch(name):
        raise StoreError(f"{name!r} is no name for a savepoint; take letters, digits, dots, hyphens and underscores")
    directory = data_dir / DIRECTORY
    path, unfinished = directory / name, directory / f"{_UNFINISHED}{name}"
    if path.exists():
        raise StoreError(f"there is a savepoint {name} already; delete it or take another name")
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        for left_over in directory.glob(f"{_UNFINISHED}*"):
            _remove(left_over)
        checkpoint(data_of(unfinished))
        savepoint = _describe(name, data_of(unfinished))
        (unfinished / _DESCRIPTION).write_text(savepoint.model_dump_json(indent=2) + "\n", encoding="utf-8")
        sync_tree(unfinished)
        unfinished.rename(path)
        sync(directory)
    except OSError as error:
        _remove(unfinished)
        raise StoreError(f"the savepoint {path} cannot be made: {error}") from error
    except BaseException:
        _remove(unfinished)
        raise
    return savepoint


def read_savepoint(path: Path) -> Savepoint:
    """What the savepoint at `path` says of itself; its files are not looked at.

    Raises:
        FormatError: Another version made it.
        StoreError: There is none, or its description is damaged.
    """
    file = path / _DESCRIPTION
    try:
        return Savepoint.model_validate_json(file.read_bytes())
    except OSError as error:
        raise StoreError(f"{path} is no savepoint: {error.strerror}; `statefun savepoint list` shows them") from error
    except ValidationError as error:
        wrong = error.errors(include_url=False)[0]
        if wrong["loc"] == ("format",):
            raise FormatError(
                f"the savepoint {path} has format {wrong['input']!r}, this version reads {FORMAT}; "
                "take the version that made it"
            ) from error
        raise StoreError(f"{file} is damaged ({wrong['msg']}); take another savepoint") from error


def list_savepoints(data_dir: Path) -> Iterator[Savepoint]:
    """The savepoints within a data directory, by name. Raises StoreError if one cannot be read."""
    for path in sorted((data_dir / DIRECTORY).glob("[!.]*")):
        yield read_savepoint(path)


def check_savepoint(path: Path) -> Savepoint:
    """Read every file of a savepoint and compare it with its checksum, and its content with its description.

    Raises:
        StoreError: Something is missing, changed, or belongs to another savepoint.
    """
    savepoint, data = read_savepoint(path), data_of(path)
    for expected in savepoint.files:
        try:
            found = _file(data, data / expected.path)
        except OSError as error:
            raise StoreError(
                f"{data / expected.path} cannot be read: {error.strerror}; take another savepoint"
            ) from error
        if found != expected:
            raise StoreError(f"{data / expected.path} is not what was saved; take another savepoint")
    with closing(RocksDBStore(data, read_only=True)) as store:
        head = read_head(store)
    if head is None or (head.lineage, head.epoch) != (savepoint.lineage, savepoint.epoch):
        raise StoreError(
            f"{path / _DESCRIPTION} describes epoch {savepoint.epoch} of lineage {savepoint.lineage}, but the data is "
            + (f"epoch {head.epoch} of lineage {head.lineage}" if head else "empty")
            + "; take another savepoint"
        )
    return savepoint


def delete_savepoint(path: Path) -> None:
    """Remove a savepoint. Raises StoreError if there is none."""
    read_savepoint(path)
    doomed = path.with_name(f"{_UNFINISHED}{path.name}")
    try:
        path.rename(doomed)
        shutil.rmtree(doomed)
    except OSError as error:
        raise StoreError(f"the savepoint {path} cannot be deleted: {error}") from error


def count_rows(store: Store) -> dict[Table, int]:
    """How many rows each table has, but for the store's own."""
    return {table: sum(1 for _ in store.scan(table)) for table in Table if table is not Table.META}


def _describe(name: str, data: Path) -> Savepoint:
    with closing(RocksDBStore(data, read_only=True)) as store:
        head = read_head(store)
    if head is None:
        raise StoreError("nothing is durable yet, so there is nothing to save")
    return Savepoint(
        name=name,
        lineage=head.lineage,
        epoch=head.epoch,
        time=head.time,
        created_at=datetime.now(UTC),
        statefun=__version__,
        files=tuple(_file(data, path) for path in sorted(data.rglob("*")) if path.is_file()),
    )


def _file(data: Path, path: Path) -> SavepointFile:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return SavepointFile(path=path.relative_to(data).as_posix(), size=size, sha256=digest.hexdigest())


def _remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
