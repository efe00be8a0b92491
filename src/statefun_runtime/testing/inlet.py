"""An inlet that keeps epochs as a runtime does: what is not durable is lost in a crash."""

import asyncio
from collections.abc import Collection, Sequence

from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Arrival, Rejected
from statefun_runtime.testing.contract import ContractError


class MemoryInlet:
    """Each `accept` is an epoch of its own; `commit` makes all of them durable, `crash` forgets the others.

    With `commits=True` every epoch is durable at once. Of `earlier`, an inlet before a restart, what was durable is
    there.
    """

    def __init__(self, *, commits: bool = False, earlier: "MemoryInlet | None" = None) -> None:
        self.arrivals: list[Arrival] = list(earlier.durable_arrivals) if earlier else []
        self.rejected: list[Rejected] = list(earlier.durable_rejected) if earlier else []
        self.positions: dict[str, bytes] = dict(earlier.durable_positions) if earlier else {}
        self.durable_arrivals: list[Arrival] = list(self.arrivals)
        self.durable_rejected: list[Rejected] = list(self.rejected)
        self.durable_positions: dict[str, bytes] = dict(self.positions)
        self.accepted = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self._commits = commits
        self.epoch = 0
        self._durable = 0
        self._failure: StoreError | None = None
        self._changed = asyncio.Event()

    def accept(
        self,
        arrivals: Sequence[Arrival],
        partition: str = "",
        position: bytes | None = None,
        rejected: Sequence[Rejected] = (),
    ) -> int:
        if self._failure is not None:
            raise self._failure
        if not self.open.is_set():
            raise ContractError("messages were handed in without asking for room")
        self.arrivals.extend(arrivals)
        self.rejected.extend(rejected)
        if position is not None:
            self.positions[partition] = position
        self.epoch += 1
        self.accepted.set()
        if self._commits:
            self._keep()
        return self.epoch

    async def room(self, typenames: Collection[str] = ()) -> None:  # noqa: ARG002  # there is room for all or none
        await self.open.wait()

    async def durable(self, epoch: int) -> None:
        while self._durable < epoch:
            if self._failure is not None:
                raise self._failure
            await self._changed.wait()

    async def commit(self) -> None:
        self._keep()

    async def fail(self, reason: str) -> None:
        """Let nothing more become durable, as when the disk breaks."""
        self._failure = StoreError(reason)
        self._wake()

    def crash(self) -> None:
        """Go back to the last commit."""
        self.arrivals = list(self.durable_arrivals)
        self.rejected = list(self.durable_rejected)
        self.positions = dict(self.durable_positions)

    def _keep(self) -> None:
        self.durable_arrivals = list(self.arrivals)
        self.durable_rejected = list(self.rejected)
        self.durable_positions = dict(self.positions)
        self._durable = self.epoch
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class CrashingInlet(MemoryInlet):
    """The inlet of a runtime that makes `epochs` epochs durable and dies with the one after them."""

    def __init__(self, epochs: int, earlier: MemoryInlet | None = None) -> None:
        super().__init__(earlier=earlier)
        self._left = epochs
        self.crashed = False

    def accept(
        self,
        arrivals: Sequence[Arrival],
        partition: str = "",
        position: bytes | None = None,
        rejected: Sequence[Rejected] = (),
    ) -> int:
        epoch = super().accept(arrivals, partition, position, rejected)
        if epoch <= self._left:
            self._keep()
        else:
            self.crash()
            self.crashed = True
            self._failure = StoreError("the epoch will not become durable: the runtime died")
            self._wake()
        return epoch
