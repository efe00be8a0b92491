"""An inlet that keeps epochs as a runtime does: what is not durable is lost in a crash."""

import asyncio
from collections.abc import Sequence

from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Arrival


class MemoryInlet:
    """Each `accept` is an epoch of its own; `commit` makes all of them durable, `crash` forgets the others.

    With `commits=True` every epoch is durable at once.
    """

    def __init__(self, *, commits: bool = False) -> None:
        self.arrivals: list[Arrival] = []
        self.positions: dict[str, bytes] = {}
        self.durable_arrivals: list[Arrival] = []
        self.durable_positions: dict[str, bytes] = {}
        self.accepted = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self._commits = commits
        self.epoch = 0
        self._durable = 0
        self._failure: StoreError | None = None
        self._changed = asyncio.Condition()

    def accept(self, arrivals: Sequence[Arrival], partition: str = "", position: bytes | None = None) -> int:
        assert self.open.is_set(), "an ingress asks for room before it hands in messages"
        self.arrivals.extend(arrivals)
        if position is not None:
            self.positions[partition] = position
        self.epoch += 1
        self.accepted.set()
        if self._commits:
            self._keep()
        return self.epoch

    async def room(self) -> None:
        await self.open.wait()

    async def durable(self, epoch: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._durable >= epoch or self._failure is not None)
        if self._failure is not None:
            raise self._failure

    async def commit(self) -> None:
        self._keep()
        async with self._changed:
            self._changed.notify_all()

    async def fail(self, reason: str) -> None:
        self._failure = StoreError(reason)
        async with self._changed:
            self._changed.notify_all()

    def crash(self) -> None:
        self.arrivals = list(self.durable_arrivals)
        self.positions = dict(self.durable_positions)

    def _keep(self) -> None:
        self.durable_arrivals = list(self.arrivals)
        self.durable_positions = dict(self.positions)
        self._durable = self.epoch


class KilledError(Exception):
    """Raised by `StoppingInlet` in place of a kill."""


class StoppingInlet(MemoryInlet):
    """Ends the ingress, as a kill would, when it asks for room the `turns`-th time."""

    def __init__(self, turns: int, earlier: MemoryInlet | None = None) -> None:
        super().__init__()
        self._turns = turns
        if earlier is not None:
            self.arrivals, self.durable_arrivals = list(earlier.arrivals), list(earlier.durable_arrivals)
            self.positions, self.durable_positions = dict(earlier.positions), dict(earlier.durable_positions)

    async def room(self) -> None:
        self._turns -= 1
        if self._turns <= 0:
            raise KilledError
