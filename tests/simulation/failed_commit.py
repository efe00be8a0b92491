"""A commit that fails while the real driver runs the engine: what egresses are handed after it, if anything."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from statefun_runtime.clock import EngineClock, SystemClock
from statefun_runtime.driver import Driver
from statefun_runtime.engine.engine import Engine
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Changes, Egress, OutboxBatch, Outlet
from statefun_runtime.store.memory import MemoryStore

from .world import EGRESS


class _FailingStore(MemoryStore):
    """Fails every commit; whether the changes are in `behind` nevertheless nobody can know."""

    def __init__(self, behind: MemoryStore, *, writes: bool) -> None:
        super().__init__()
        self._behind = behind
        self._writes = writes

    def commit(self, changes: Changes) -> None:
        if self._writes:
            self._behind.commit(changes)
        raise StoreError("the disk is broken")


class _Egress(Egress):
    def __init__(self, take: Callable[[OutboxBatch], None]) -> None:
        self._take = take

    async def start(self, outlet: Outlet, position: bytes | None) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    def write(self, batch: OutboxBatch) -> None:
        self._take(batch)


def fail_commit(engine: Engine, store: MemoryStore, take: Callable[[OutboxBatch], None], *, writes: bool) -> None:
    """Let a driver commit what there is, in vain.

    Args:
        engine: Its last epoch that was cut is durable; it is of no use afterwards.
        store: Where it is durable.
        take: Gets what the driver hands to the egress.
        writes: Whether the changes get into `store` although the commit fails.
    """
    asyncio.run(_fail(engine, _FailingStore(store, writes=writes), take))


async def _fail(engine: Engine, store: _FailingStore, take: Callable[[OutboxBatch], None]) -> None:
    driver = Driver(engine, store, _no_endpoint, EngineClock(SystemClock(), engine.now), commit_interval=0)
    driver.outgoing.attach({EGRESS: _Egress(take)})
    try:
        with suppress(StoreError):
            await driver.settle()
    finally:
        driver.close()


def _no_endpoint(typename: str) -> NoReturn:
    raise AssertionError(f"after a failed commit {typename} was called")
