"""Reads a file in blocks of whole raw records, bounded in bytes and in records.

A record ends at a line feed; in quoted files, at the first one that is not between double quotes. The last record of
the file needs no line feed.
"""

import os

BLOCK_BYTES = 64 * 1024
BLOCK_RECORDS = 256
"""Small enough that parsing a block takes about 2 ms, for which the event loop stands still."""


class BlockReader:
    """Reads from `offset`, where line number `line` (counted from 1) begins.

    After each `read`, `offset` and `line` are those of the first record that was not returned yet.
    """

    def __init__(self, descriptor: int, offset: int, line: int, *, quoted: bool, max_record_bytes: int) -> None:
        self.offset = offset
        self.line = line
        self._descriptor = descriptor
        self._quoted = quoted
        self._max_record_bytes = max_record_bytes
        self._read_offset = offset
        self._complete: list[bytes] = []
        self._rest = b""

    def read(self, limit: int = BLOCK_RECORDS) -> list[bytes]:
        """The next records, at most `limit`, without their line feeds; none at the end of the file.

        A record longer than the maximum comes alone, cut to a length over the maximum; the next one begins at the
        line that follows it.
        """
        while not self._complete:
            data = os.pread(self._descriptor, BLOCK_BYTES, self._read_offset)
            self._read_offset += len(data)
            if not data:
                return self._last_record()
            self._split(data)
            if not self._complete and len(self._rest) > self._max_record_bytes:
                return self._oversized_record()
        records, self._complete = self._complete[:limit], self._complete[limit:]
        self.offset += sum(map(len, records)) + len(records)
        self.line += _lines(records) if self._quoted else len(records)
        return records

    def _split(self, data: bytes) -> None:
        records = (self._rest + data).split(b"\n")
        if self._quoted:
            records = _join_quoted(records)
        self._rest = records.pop()
        self._complete = records

    def _last_record(self) -> list[bytes]:
        records = [self._rest] if self._rest else []
        self.offset += len(self._rest)
        self.line += _lines(records)
        self._rest = b""
        return records

    def _oversized_record(self) -> list[bytes]:
        record, self._rest = self._rest, b""
        self.offset += len(record)
        self.line += record.count(b"\n")
        while data := os.pread(self._descriptor, BLOCK_BYTES, self._read_offset):
            self._read_offset += len(data)
            dropped, line_feed, after = data.partition(b"\n")
            self.offset += len(dropped) + len(line_feed)
            if line_feed:
                self.line += 1
                self._split(after)
                break
        return [record]


def _lines(records: list[bytes]) -> int:
    return sum(record.count(b"\n") for record in records) + len(records)


def _join_quoted(lines: list[bytes]) -> list[bytes]:
    """Join lines that a quoted field spans; the last element is not complete yet, as in the argument."""
    records: list[bytes] = []
    parts: list[bytes] = []
    in_quotes = False
    for line in lines:
        parts.append(line)
        if line.count(b'"') & 1:
            in_quotes = not in_quotes
        if not in_quotes:
            records.append(b"\n".join(parts) if len(parts) > 1 else line)
            parts = []
    if parts:
        records.append(b"\n".join(parts))
    return records
