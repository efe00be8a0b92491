"""Where the last whole record of one of RocksDB's logs (`*.log`, `MANIFEST-*`) ends.

A log is made of blocks of 32 KiB, a block of records: four bytes of checksum, two of length, one of type, the content;
a rest of a block too short for a head is empty. RocksDB reads a record that does not end within its block or its file
as the end of the log, silently, and one of a type for reused files too, which this runtime never makes.
"""

import os
import struct

_BLOCK = 32768
_HEAD = struct.Struct("<IHB")
_ENDS = frozenset({0, 5, 6, 7, 8, 11, 131})
"""Types that end a log: unwritten space, and those of reused files."""


def end_of_records(descriptor: int, start: int = 0) -> int:
    """The offset after the last whole record; `start` is the beginning of a record, or the end of the last one.

    Checksums are not looked at: a wrong one is an error that RocksDB tells. Raises OSError.
    """
    size = os.fstat(descriptor).st_size
    end = at = start
    while True:
        left = _BLOCK - at % _BLOCK
        if left < _HEAD.size:
            at, left = at + left, _BLOCK
        head = os.pread(descriptor, _HEAD.size, at)
        if len(head) < _HEAD.size:
            return end
        _, length, kind = _HEAD.unpack(head)
        after = at + _HEAD.size + int(length)
        if kind in _ENDS or _HEAD.size + int(length) > left or after > size:
            return end
        end = at = after
