"""Makes epochs durable on a thread of their own, one at a time."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from statefun_runtime.epoch import Epoch
from statefun_runtime.interfaces import Store
from statefun_runtime.store.changes import changes_of


class Committer:
    """Writes cut epochs to a store. After a failure nothing more is written."""

    def __init__(self, store: Store, lineage: str) -> None:
        self._store = store
        self._lineage = lineage
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    def submit(self, epoch: Epoch, done: Callable[[Future[float]], object]) -> None:
        """Write `epoch`; `done` gets the seconds it took, or the StoreError, on the thread."""
        self._thread.submit(self._write, epoch).add_done_callback(done)

    def _write(self, epoch: Epoch) -> float:
        started = time.perf_counter()
        self._store.commit(changes_of(epoch, self._lineage))
        return time.perf_counter() - started

    def close(self) -> None:
        """Wait for the commit under way, then end the thread."""
        self._thread.shutdown(wait=True)
