"""The files of a record log, and how a record is found in one. Everything here blocks."""

import os
import re
from pathlib import Path
from typing import NamedTuple

_SUFFIX = ".jsonl"
_NAME = re.compile(rf"(\d{{20}}){re.escape(_SUFFIX)}", re.ASCII)
_WINDOW = 4096
_HEAD = 512
"""At least the bytes of a line up to the end of its cursor."""


class Segment(NamedTuple):
    """A file with the lines of the records from number `first` on; `size` bytes of it are whole lines."""

    path: Path
    first: int
    size: int


class Lines(NamedTuple):
    """Whole lines, each with its line feed."""

    content: bytes
    number: int


def segment_path(directory: Path, first: int) -> Path:
    return directory / f"{first:020d}{_SUFFIX}"


def list_segments(directory: Path) -> list[Segment]:
    """The segments in a directory, in order; none if it is not there. Raises OSError."""
    try:
        names = sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        return []
    matches = [match for name in names if (match := _NAME.fullmatch(name))]
    return [Segment(path := directory / match[0], int(match[1]), path.stat().st_size) for match in matches]


def read_lines(segment: Segment, number: int, most: int, most_bytes: int) -> Lines:
    """At most `most` lines from that of record `number` on, which the segment has; a long one may be more bytes.

    Raises:
        OSError: The file cannot be read, or is gone.
        ValueError: It does not hold what it should.
    """
    descriptor = os.open(segment.path, os.O_RDONLY)
    try:
        start = _find(descriptor, segment, number)
        content = os.pread(descriptor, min(most_bytes, segment.size - start), start)
        if b"\n" not in content:
            content = os.pread(descriptor, _next_line(descriptor, start + 1, segment.size) - start, start)
    finally:
        os.close(descriptor)
    lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)[:most]
    return Lines(b"".join(lines), len(lines))


def _find(descriptor: int, segment: Segment, number: int) -> int:
    """The offset of the line of a record: a search by halves, since each line begins with its number."""
    low, high = 0, segment.size
    while low < high:
        middle = (low + high) // 2
        start = _next_line(descriptor, middle, high)
        found = _number_at(descriptor, start, segment) if start < high else number + 1
        if found == number:
            return start
        if found > number:
            high = middle
        else:
            low = start + 1
    raise ValueError(f"{segment.path} has no record {number}; it was changed by somebody else")


def _next_line(descriptor: int, offset: int, end: int) -> int:
    """Where the first line at or behind `offset` begins; `end` if none does before it."""
    if offset == 0:
        return 0
    offset -= 1
    while offset < end:
        window = os.pread(descriptor, min(_WINDOW, end - offset), offset)
        if not window:
            return end
        at = window.find(b"\n")
        if at >= 0:
            return min(offset + at + 1, end)
        offset += len(window)
    return end


def _number_at(descriptor: int, start: int, segment: Segment) -> int:
    cursor = os.pread(descriptor, _HEAD, start).split(b'"', 4)
    number = cursor[3].rpartition(b"-")[2] if len(cursor) == 5 else b""
    if not number.isdigit():
        raise ValueError(f"{segment.path} has no record at byte {start}; it was changed by somebody else")
    return int(number)
