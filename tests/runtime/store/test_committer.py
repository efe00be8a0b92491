"""The copy of a store is made between two commits, and never after one that failed."""

import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from statefun_runtime.epoch import Epoch
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Changes
from statefun_runtime.store.committer import Commit, Committer
from statefun_runtime.store.memory import MemoryStore


class SlowStore(MemoryStore):
    """Its first commit goes on until the test opens it; it notes what was done in which order."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.open = threading.Event(), threading.Event()
        self.done: list[str] = []
        self.error: StoreError | None = None

    def commit(self, changes: Changes) -> None:
        self.begun.set()
        assert self.open.wait(10)
        if self.error is not None:
            raise self.error
        self.done.append("commit")

    def checkpoint(self, path: Path) -> None:
        self.done.append("checkpoint")


def ignore(done: Future[Commit]) -> None:
    done.exception()


def test_a_copy_waits_for_the_commit_under_way(tmp_path: Path) -> None:
    store = SlowStore()
    committer = Committer(store, "lineage")
    committer.submit(Epoch(1), ignore)
    assert store.begun.wait(10)
    copying = threading.Thread(target=committer.checkpoint, args=(tmp_path,))
    copying.start()
    store.open.set()
    copying.join()
    committer.close()
    assert store.done == ["commit", "checkpoint"]


def test_after_a_failed_commit_there_is_no_copy_since_nobody_knows_what_would_be_in_it(tmp_path: Path) -> None:
    store = SlowStore()
    store.open.set()
    store.error = StoreError("the disk is full")
    committer = Committer(store, "lineage")
    committer.submit(Epoch(1), ignore)
    with pytest.raises(StoreError, match="an epoch could not be made durable"):
        committer.checkpoint(tmp_path)
    committer.close()
    assert store.done == []


def test_after_the_end_there_is_no_copy(tmp_path: Path) -> None:
    store = SlowStore()
    committer = Committer(store, "lineage")
    committer.close()
    with pytest.raises(StoreError, match="the runtime has stopped"):
        committer.checkpoint(tmp_path)
    assert store.done == []
