"""A place in a file, and the proof that the file is still the one in which the place was found.

Device and inode numbers do not survive a copy or a restore, and a modification time says nothing about content. So a
position carries hashes of what lies before it: of the first and of the last `WINDOW` bytes. A file may grow behind a
position; it may not change before it. A change in the middle of a large file, outside both windows, is not noticed.
"""

import json
import os
from dataclasses import dataclass
from hashlib import blake2b

WINDOW = 4096


class ForeignFileError(Exception):
    """The file is shorter than the position or has other content before it. The text completes "file X …"."""


@dataclass(frozen=True, slots=True)
class FilePosition:
    """`offset` is in bytes; `line` is the number of lines before it; `head` and `tail` are hashes in hex."""

    offset: int
    line: int
    head: str
    tail: str

    @classmethod
    def at(cls, descriptor: int, offset: int, line: int = 0) -> "FilePosition":
        """The position at `offset` of an open file. Raises ForeignFileError if the file is shorter."""
        window = min(WINDOW, offset)
        head, tail = os.pread(descriptor, window, 0), os.pread(descriptor, window, offset - window)
        if len(head) < window or len(tail) < window:
            raise ForeignFileError(f"is {os.fstat(descriptor).st_size} bytes long, shorter than the {offset} expected")
        return cls(offset, line, _digest(head), _digest(tail))

    def check(self, descriptor: int) -> None:
        """Raise ForeignFileError unless the open file holds, up to the offset, what it held then."""
        found = FilePosition.at(descriptor, self.offset, self.line)
        if found != self:
            raise ForeignFileError(f"has other content in its first {self.offset} bytes than it had")

    def encode(self) -> bytes:
        return json.dumps(
            {"version": 1, "offset": self.offset, "line": self.line, "head": self.head, "tail": self.tail}
        ).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "FilePosition":
        """The inverse of `encode`. Raises ValueError if `encoded` is not a position or of an unknown version."""
        fields: object = json.loads(encoded)
        match fields:
            case {"version": 1, "offset": int(offset), "line": int(line), "head": str(head), "tail": str(tail)}:
                return cls(offset, line, head, tail)
            case _:
                raise ValueError(f"not a file position of version 1: {encoded[:100]!r}")


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
