"""A file that grows at its end only and can be cut back to a known position. Everything here blocks."""

import os
from collections.abc import Iterable
from pathlib import Path

from statefun_runtime.file_position import FilePosition, ForeignFileError
from statefun_runtime.file_sync import sync


class AppendFile:
    """Opens `path`, cut to `position`; without one the file must be new or empty, and with `exact` nothing is cut.

    Raises ForeignFileError if the file is not the one it was, and OSError. After either of them from `append` what the
    file holds behind `end` is unknown.
    """

    def __init__(self, path: Path, position: FilePosition | None, *, exact: bool = False) -> None:
        self._path = path
        is_new = not path.exists()
        if is_new and position and position.offset:
            raise ForeignFileError(f"is gone; it held {position.offset} bytes. Put it back")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            self.end = self._restore(position, exact=exact)
            if is_new:
                sync(path.parent)
        except BaseException:
            self.close()
            raise

    def append(self, chunks: Iterable[bytes], lines: int) -> FilePosition:
        """Write and sync `chunks`, which hold `lines` lines; return the position after them."""
        self._check_untouched()
        offset = self.end.offset
        for chunk in chunks:
            offset = self._write(chunk, offset)
        os.fsync(self._descriptor)
        self.end = FilePosition.at(self._descriptor, offset, self.end.line + lines)
        return self.end

    def close(self) -> None:
        os.close(self._descriptor)

    def _restore(self, position: FilePosition | None, *, exact: bool) -> FilePosition:
        size = os.fstat(self._descriptor).st_size
        if position is None:
            if size:
                raise ForeignFileError(f"holds {size} bytes of somebody else. Move it away, or name another file")
            return FilePosition.at(self._descriptor, 0)
        position.check(self._descriptor)
        if size > position.offset:
            if exact:
                raise ForeignFileError(
                    f"holds {size} bytes, {size - position.offset} more than at the savepoint. Restore again, with "
                    "--egress-files=cut to take them back, or with =new to begin a new file"
                )
            os.ftruncate(self._descriptor, position.offset)
            os.fsync(self._descriptor)
        return position

    def _check_untouched(self) -> None:
        opened = os.fstat(self._descriptor)
        if not os.path.samestat(opened, self._path.stat()):
            raise ForeignFileError("was moved or replaced while it was written. Put it back")
        if opened.st_size != self.end.offset:
            raise ForeignFileError("was changed by somebody else. Only one runtime may write it")

    def _write(self, chunk: bytes, offset: int) -> int:
        view = memoryview(chunk)
        while view:
            written = os.pwrite(self._descriptor, view, offset)
            view, offset = view[written:], offset + written
        return offset
