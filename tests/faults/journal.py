"""What a disk holds after the power failed: computed from the journal of everything that was done to it.

The model is a file system that keeps its promises and no more. What was synced is there. Of the rest any beginning is
there: of each file's unsynced writes in their order, the last of them perhaps by half; and of the unsynced changes of
names, in their order. A new name is durable when its directory was synced, not when its file was.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

_HEAD = struct.Struct("8sqqq")


class Change(NamedTuple):
    """One record of the journal. `end` is the journal's length after it."""

    kind: str
    path: str
    offset: int
    data: bytes
    end: int


def read_journal(file: Path) -> Iterator[Change]:
    content = file.read_bytes()
    at = 0
    while at < len(content):
        kind, offset, path_length, size = _HEAD.unpack_from(content, at)
        middle = at + _HEAD.size + path_length
        path = content[at + _HEAD.size : middle].decode()
        at = middle + size
        yield Change(kind[:1].decode(), path, offset, content[middle:at], at)


@dataclass(eq=False)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[Change] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.unsynced:
            _apply(self.durable, change, len(change.data))
        self.unsynced.clear()

    def survivor(self, random: Random) -> bytes:
        content = bytearray(self.durable)
        kept = random.choice((0, len(self.unsynced), random.randint(0, len(self.unsynced))))
        for change in self.unsynced[:kept]:
            _apply(content, change, len(change.data))
        for change in self.unsynced[kept : kept + 1]:
            _apply(content, change, random.choice((0, random.randint(0, len(change.data)))))
        return bytes(content)


def _apply(content: bytearray, change: Change, size: int) -> None:
    if change.kind == "w":
        end = change.offset + size
        content.extend(bytes(max(0, end - len(content))))
        content[change.offset : end] = change.data[:size]
    elif change.offset < len(content):
        del content[change.offset :]


_Names = dict[str, _File | None]
"""Files by path; a directory is None."""


class Disk:
    """The files below `root`, as far as they are durable and as the processes see them."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._seen: _Names = {}
        self._durable: _Names = {}
        self._unsynced: list[tuple[Change, _File | None]] = []

    def add(self, change: Change) -> None:
        """Take the next change of the journal."""
        entry = self._seen.get(change.path)
        if change.kind in "wt":
            if entry is not None:
                entry.unsynced.append(change)
        elif change.kind == "s":
            if entry is not None:
                entry.sync()
            else:
                self._sync_names(change.path)
        else:
            target = _File() if change.kind == "c" else entry
            _name(self._seen, change, target)
            self._unsynced.append((change, target))

    def _sync_names(self, directory: str) -> None:
        for change, entry in self._unsynced:
            if _parent(change.path) == directory:
                _name(self._durable, change, entry)
        self._unsynced = [step for step in self._unsynced if _parent(step[0].path) != directory]

    def fail(self, random: Random, target: Path) -> None:
        """Write what is left after a loss of power now to the directory `target`."""
        names = dict(self._durable)
        kept = random.choice((0, len(self._unsynced), random.randint(0, len(self._unsynced))))
        for change, entry in self._unsynced[:kept]:
            _name(names, change, entry)
        target.mkdir(parents=True)
        for path, entry in sorted(names.items()):
            place = target / path.removeprefix(self._root).lstrip("/")
            if not place.parent.is_dir():
                continue
            if entry is None:
                place.mkdir()
            else:
                place.write_bytes(entry.survivor(random))


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _name(names: _Names, change: Change, entry: _File | None) -> None:
    if change.kind in "cd":
        names[change.path] = entry
    elif change.kind == "u":
        names.pop(change.path, None)
    elif change.path in names:
        # A file that was opened in a way the shim does not see is not in the model, and nothing depends on it.
        names[change.data.decode()] = names[change.path]
        if change.kind == "r":
            del names[change.path]
