"""How far the store was durable: a number beside the store, by which a loss of its newest part is noticed.

RocksDB drops a torn last record of its log, since a write that a crash cut short was never acknowledged. A damaged
length looks the same, and so does a log that somebody removed. The mark tells them apart: it is written after each
sync and not synced itself, so it is never ahead of the store. It is kept by the page cache when the process dies, and
behind only after a loss of power, by what the operating system had not written yet.
"""

import errno
import os
import zlib
from pathlib import Path

from statefun_runtime.errors import DamagedError, DiskError

MARK_FILE = "DURABLE"


class DurableMark:
    """The mark of one data directory, open for writing. Two lines are written in turn, so that one is always whole."""

    def __init__(self, path: Path, number: int | None) -> None:
        """Args: `path` is the data directory, `number` what its mark says now. Raises OSError."""
        self._descriptor = os.open(path / MARK_FILE, os.O_WRONLY | os.O_CREAT, 0o600)
        self._number = number or 0
        self._offset = 0

    def write(self, number: int) -> None:
        """Note that the store is durable up to `number`. Raises OSError."""
        line = _line(number)
        if os.pwrite(self._descriptor, line, self._offset) < len(line):
            raise OSError(errno.ENOSPC, "only a part was written", MARK_FILE)
        self._offset = len(line) - self._offset
        if self._number == 0 and number:
            # From now on a store that is not there at all is a loss, no matter when the power fails.
            os.fsync(self._descriptor)
        self._number = number

    def close(self) -> None:
        """Sync it, once. Raises OSError."""
        try:
            os.fsync(self._descriptor)
        finally:
            os.close(self._descriptor)


def content_of(number: int) -> bytes:
    """The content of a new mark file."""
    return _line(number) * 2


def read(path: Path) -> int | None:
    """The mark of the data directory `path`; `None` if there is none.

    Raises:
        DamagedError: It is not what was written.
        DiskError: It cannot be read.
    """
    file = path / MARK_FILE
    try:
        lines = file.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DiskError(f"{file} cannot be read: {error}; repair the disk and start again") from error
    numbers = [number for number in map(_number_in, lines) if number is not None]
    if not numbers:
        raise DamagedError(
            f"{file} is damaged, so nobody knows whether {path / 'store'} is whole; restore a savepoint. If you remove "
            "this file, the runtime goes on with what is in the store: what is missing in it is lost"
        )
    return max(numbers)


def _line(number: int) -> bytes:
    digits = b"%020d" % number
    return b"%s %08x\n" % (digits, zlib.crc32(digits))


def _number_in(line: bytes) -> int | None:
    digits = line[:20]
    return int(digits) if digits.isdigit() and line == _line(int(digits)) else None
