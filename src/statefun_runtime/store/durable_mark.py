"""How far the store was durable: a mark beside it, by which a loss of acknowledged data is noticed.

RocksDB drops what is torn at the end of a log, since a write that a crash cut short was never acknowledged. A damaged
length of a record looks the same, and a log that is gone is not missed at all. The mark tells them apart. It is written
after each sync and not synced itself, so it is never ahead of the store. The page cache keeps it when the process dies;
only a loss of power can set it back, by what the operating system had not written yet.
"""

import errno
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

from statefun_runtime.errors import DamagedError, DiskError

MARK_FILE = "DURABLE"
_LINE = 1024
"""Length of a line, a fixed one, so that it is overwritten as a whole."""
_MAX_FILES = 20


class Mark(NamedTuple):
    """What was durable: all changes up to number `sequence`, and so many bytes of each of these files in the store."""

    sequence: int
    files: Mapping[str, int]


NOTHING = Mark(0, {})


class DurableMark:
    """The mark of one data directory, open for writing. Two lines are written in turn, so that one is always whole."""

    def __init__(self, path: Path, mark: Mark | None) -> None:
        """Args: `path` is the data directory, `mark` what is in it now. Raises OSError."""
        self._descriptor = os.open(path / MARK_FILE, os.O_WRONLY | os.O_CREAT, 0o600)
        self._is_new = not mark or mark.sequence == 0
        self._offset = 0

    def write(self, mark: Mark) -> None:
        """Note that the store is durable up to `mark`. Raises OSError."""
        if os.pwrite(self._descriptor, _line(mark), self._offset) < _LINE:
            raise OSError(errno.ENOSPC, "only a part was written", MARK_FILE)
        self._offset = _LINE - self._offset
        if self._is_new and mark.sequence:
            # From now on a store that is not there at all is a loss, no matter when the power fails.
            os.fsync(self._descriptor)
            self._is_new = False

    def close(self) -> None:
        """Sync it, once. Raises OSError."""
        try:
            os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)


def content_of(mark: Mark) -> bytes:
    """The content of a new mark file."""
    return _line(mark) * 2


def read(path: Path) -> Mark | None:
    """The mark of the data directory `path`; `None` if there is none.

    Raises:
        DamagedError: It is not what was written.
        DiskError: It cannot be read.
    """
    file = path / MARK_FILE
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DiskError(f"{file} cannot be read: {error}; repair the disk and start again") from error
    marks = [mark for mark in map(_mark_in, (content[:_LINE], content[_LINE:])) if mark is not None]
    if not marks:
        raise DamagedError(
            f"{file} is damaged, so nobody knows whether {path / 'store'} is whole; restore a savepoint. If you remove "
            "this file, the runtime goes on with what is in the store: what is missing in it is lost"
        )
    return max(marks, key=lambda mark: mark.sequence)


def _line(mark: Mark) -> bytes:
    # The newest files, if there should ever be too many: a later one is as good a witness.
    files = dict(sorted(mark.files.items())[-_MAX_FILES:])
    text = json.dumps([mark.sequence, files]).encode().ljust(_LINE - 10)
    return b"%s %08x\n" % (text, zlib.crc32(text))


def _mark_in(line: bytes) -> Mark | None:
    text = line[:-10]
    if line[-10:] != b" %08x\n" % zlib.crc32(text):
        return None
    sequence, files = cast("tuple[int, dict[str, int]]", json.loads(text))
    return Mark(sequence, files)
