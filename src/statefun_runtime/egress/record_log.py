"""The log of a subscription: numbered records in files, appended at the end, forgotten from the beginning.

One thread appends and trims; any other may read meanwhile what `view` shows. Everything here blocks.
"""

import json
import os
import time
from bisect import bisect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from statefun_runtime.egress.cursor import Cursor
from statefun_runtime.egress.record_line import to_line
from statefun_runtime.egress.segment import Lines, Segment, list_segments, read_lines, segment_path
from statefun_runtime.file_position import ForeignFileError
from statefun_runtime.file_sync import make_directory, sync
from statefun_runtime.interfaces import Payload

_PARTS = 16
"""Into how many segments what is kept is divided, about: so exactly are the limits kept."""
_MAX_SEGMENT = 64 << 20


class LogPosition(NamedTuple):
    """The end of a log: of which lineage, its last record, and the segment and size of it that this is in."""

    lineage: str
    number: int
    segment: int
    size: int

    def encode(self) -> bytes:
        return json.dumps({"version": 1, **self._asdict()}).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "LogPosition":
        """The inverse of `encode`. Raises ValueError if `encoded` is no position or of an unknown version."""
        match json.loads(encoded):
            case {"version": 1, "lineage": str(lineage), "number": int(n), "segment": int(segment), "size": int(size)}:
                return cls(lineage, n, segment, size)
            case _:
                raise ValueError(f"{encoded[:200]!r} is not a position in a record log")


class Retention(NamedTuple):
    """What is kept: records younger than `seconds`, in files of `size` bytes in all, about."""

    seconds: float
    size: int


class View(NamedTuple):
    """What can be read: the segments in order, the last of them the one that grows, and the last record's number."""

    segments: tuple[Segment, ...]
    last: int

    @property
    def begin(self) -> int:
        """The number before the oldest record that is kept."""
        return self.segments[0].first - 1

    def read(self, after: int, most: int, most_bytes: int) -> Lines:
        """At most `most` lines behind record `after`, at least one; `begin <= after < last`.

        Raises:
            OSError: A file cannot be read. FileNotFoundError: what it had is not kept any more.
            ValueError: A file does not hold what it should.
        """
        at = bisect([segment.first for segment in self.segments], after + 1) - 1
        return read_lines(self.segments[at], after + 1, most, most_bytes)


class RecordLog:
    """The log of one egress in one lineage, at `directory`, cut to `position`, where it begins if it is new.

    Raises ForeignFileError if the files are not what they were, and OSError. After either of them from `append` what
    the files hold behind `view` is unknown.
    """

    def __init__(
        self,
        directory: Path,
        lineage: str,
        position: LogPosition | None,
        retention: Retention,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.lineage = lineage
        self._directory = directory
        self._retention = retention
        self._now = now
        self._since = now()
        """When the last segment may have been begun."""
        make_directory(directory)
        segments = list_segments(directory)
        position = position or LogPosition(lineage, 0, 0, 0)
        self.is_new = position.lineage != lineage or not any(part.first <= position.segment for part in segments)
        """Whether it has nothing of what was written before `position`."""
        kept = self._begin(position, segments) if self.is_new else self._restore(position, segments)
        self.view = View(kept, position.number)
        self._descriptor = os.open(kept[-1].path, os.O_WRONLY)

    @property
    def position(self) -> LogPosition:
        *_, active = self.view.segments
        return LogPosition(self.lineage, self.view.last, active.first, active.size)

    def append(self, batches: Sequence[Sequence[Payload]]) -> int:
        """Write and sync the records of some epochs; return how many they are."""
        before = self.view.last
        *closed, active = self.view.segments
        last = before
        for records in batches:
            content = b"".join(
                to_line(str(Cursor(self.lineage, number)), record) for number, record in enumerate(records, last + 1)
            )
            self._write(active, content)
            active = active._replace(size=active.size + len(content))
            last += len(records)
        os.fsync(self._descriptor)
        self.view = View((*closed, active), last)
        return last - before

    def trim(self) -> None:
        """Begin a new segment when it is time, and forget the oldest ones beyond the limits."""
        now, retention = self._now(), self._retention
        active = self.view.segments[-1]
        full = active.size >= min(retention.size // _PARTS, _MAX_SEGMENT)
        if active.size and (full or now - self._since >= retention.seconds / _PARTS):
            self._begin_segment()
        segments, last = self.view
        total = sum(segment.size for segment in segments)
        gone = 0
        for segment in segments[:-1]:
            if total <= retention.size and now - segment.path.stat().st_mtime <= retention.seconds:
                break
            total -= segment.size
            gone += 1
        # Taken from the view first: who reads one of them now finds it gone, and looks again.
        self.view = View(segments[gone:], last)
        for segment in segments[:gone]:
            segment.path.unlink()

    def close(self) -> None:
        os.close(self._descriptor)

    def _begin(self, position: LogPosition, segments: Sequence[Segment]) -> tuple[Segment, ...]:
        if not position.number and any(segment.size for segment in segments):
            raise ForeignFileError(f"holds records that the store does not know of. Move {self._directory} away")
        for segment in segments:
            segment.path.unlink()
        return (self._make(position.number + 1),)

    def _restore(self, position: LogPosition, segments: Sequence[Segment]) -> tuple[Segment, ...]:
        kept = [segment for segment in segments if segment.first <= position.segment]
        active = kept[-1]
        if active.first != position.segment or active.size < position.size:
            raise ForeignFileError(
                f"{segment_path(self._directory, position.segment)} does not hold the {position.size} bytes it held. "
                f"Put it back, or move {self._directory} away to go on without the records that were kept"
            )
        for segment in segments[len(kept) :]:
            segment.path.unlink()
        if active.size > position.size:
            os.truncate(active.path, position.size)
            sync(active.path)
        return (*kept[:-1], active._replace(size=position.size))

    def _begin_segment(self) -> None:
        self.view = View((*self.view.segments, self._make(self.view.last + 1)), self.view.last)
        os.close(self._descriptor)
        self._descriptor = os.open(self.view.segments[-1].path, os.O_WRONLY)
        self._since = self._now()

    def _make(self, first: int) -> Segment:
        path = segment_path(self._directory, first)
        path.touch(mode=0o600)
        sync(self._directory)
        return Segment(path, first, 0)

    def _write(self, active: Segment, content: bytes) -> None:
        opened = os.fstat(self._descriptor)
        if not os.path.samestat(opened, active.path.stat()):
            raise ForeignFileError(f"{active.path} was moved or replaced while it was written. Put it back")
        view, offset = memoryview(content), active.size
        while view:
            written = os.pwrite(self._descriptor, view, offset)
            view, offset = view[written:], offset + written
