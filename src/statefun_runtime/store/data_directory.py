"""The files of a data directory beside the database: they are there before it, and each is whole or absent."""

import os
from pathlib import Path

from statefun_runtime.errors import DiskError, FormatError, StoreError
from statefun_runtime.file_sync import sync
from statefun_runtime.store import durable_mark
from statefun_runtime.store.durable_mark import Mark

FORMAT = b"2"
FORMAT_FILE = "FORMAT"
STORE = "store"
"""The directory of the database within the data directory."""


def prepare(path: Path) -> None:
    """Make `path` a data directory of this version, unless it is one.

    Raises:
        FormatError: Another version wrote it.
        StoreError: It holds a store and does not say of which format.
        OSError: It cannot be written.
    """
    if not (path / STORE).exists() and not (path / FORMAT_FILE).exists():
        label(path, durable_mark.NOTHING)
    check_format(path)


def label(path: Path, mark: Mark) -> None:
    """Write what identifies the directory: that its store is durable up to `mark`, and, last, its format.

    Raises OSError.
    """
    write_synced(path / durable_mark.MARK_FILE, durable_mark.content_of(mark))
    write_synced(path / FORMAT_FILE, FORMAT)


def check_format(path: Path) -> None:
    """Make sure that this version may read the directory.

    Raises:
        FormatError: Another version wrote it.
        DiskError: It cannot be read.
        StoreError: It is no data directory.
    """
    try:
        found = (path / FORMAT_FILE).read_bytes().strip()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(
            f"{path} is not a data directory of this runtime: {error}; name the right one, or an empty one"
        ) from error
    except OSError as error:
        raise DiskError(f"the data directory {path} cannot be read: {error}; repair it and start again") from error
    if found != FORMAT:
        raise FormatError(
            f"the data directory {path} has format {found.decode(errors='replace')}, this version reads "
            f"{FORMAT.decode()}; start the version that wrote it"
        )


def write_synced(path: Path, content: bytes) -> None:
    """Make a file that is there as a whole or not at all. Raises OSError."""
    new = path.with_name(f"{path.name}.new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync(path.parent)
