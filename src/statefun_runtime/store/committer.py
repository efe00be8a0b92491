"""Makes epochs durable on a thread of their own, one at a time."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from statefun_runtime.epoch import Epoch
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Store
from statefun_runtime.store.changes import changes_of


class Commit(NamedTuple):
    """What one commit took."""

    seconds: float
    rows: int


class Committer:
    """Writes cut epochs to a store. After a failure nothing more is written."""

    def __init__(self, store: Store, lineage: str) -> None:
        self._store = store
        self._lineage = lineage
        self._failed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    def submit(self, epoch: Epoch, done: Callable[[Future[Commit]], object]) -> None:
        """Write `epoch`; `done` gets what it took, or the StoreError, on the thread."""
        self._thread.submit(self._write, epoch).add_done_callback(done)

    def _write(self, epoch: Epoch) -> Commit:
        started = time.perf_counter()
        changes = changes_of(epoch, self._lineage)
        try:
            self._store.commit(changes)
        except BaseException:
            self._failed = True
            raise
        return Commit(time.perf_counter() - started, len(changes.deletes) + len(changes.puts))

    def checkpoint(self, path: Path) -> None:
        """Copy the store as of its last commit to `path`, between two commits. Blocks; raises StoreError."""
        try:
            copied = self._thread.submit(self._checkpoint, path)
        except RuntimeError as error:
            raise StoreError(f"the copy to {path} was not made: the runtime has stopped") from error
        copied.result()

    def _checkpoint(self, path: Path) -> None:
        if self._failed:
            raise StoreError(f"the copy to {path} was not made: an epoch could not be made durable")
        self._store.checkpoint(path)

    def close(self) -> None:
        """Wait for the commit under way, then end the thread."""
        self._thread.shutdown(wait=True)
