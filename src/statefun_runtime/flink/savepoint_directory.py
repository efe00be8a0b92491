"""A directory of savepoints of this machine, to find there what Flink had no time to tell."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

_JOB_LETTERS = 6
"""Flink calls a savepoint `savepoint-`, the beginning of its job's id, `-`, and a random end."""


class SavepointDirectory:
    """Finds the savepoint that a job makes from now on in a directory, named by its URI or absolute path."""

    def __init__(self, uri: str | None, job: str) -> None:
        self._job = job
        url = urlsplit(uri or "")
        here = url.scheme in {"", "file"} and not url.netloc and url.path.startswith("/")
        self._path = Path(unquote(url.path)) if here else None
        self._before = self._whole()

    def made(self) -> Path | None:
        """The savepoint that was made since, once it is whole; none if the directory is of another machine."""
        return max(self._whole() - self._before, key=lambda made: (made / "_metadata").stat().st_mtime, default=None)

    def _whole(self) -> set[Path]:
        """Those with metadata: Flink writes it last, and gives it its name only then."""
        if self._path is None:
            return set()
        return {file.parent for file in self._path.glob(f"savepoint-{self._job[:_JOB_LETTERS]}-*/_metadata")}
