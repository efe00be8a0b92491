"""Makes epochs durable on a thread of their own, one at a time."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from statefun_runtime.epoch import Epoch
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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    def submit(self, epoch: Epoch, done: Callable[[Future[Commit]], object]) -> None:
        """Write `epoch`; `done` gets what it took, or the StoreError, on the thread."""
        self._thread.submit(self._write, epoch).add_done_callback(done)

    def _write(self, epoch: Epoch) -> Commit:
        started = time.perf_counter()
        changes = changes_of(epoch, self._lineage)
        self._store.commit(changes)
        return Commit(time.perf_counter() - started, len(changes.deletes) + len(changes.puts))

    def close(self) -> None:
        """Wait for the commit under way, then end the thread."""
        self._thread.shutdown(wait=True)
