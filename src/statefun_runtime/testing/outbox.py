"""An outlet and an outbox that behave as a runtime's: what was released goes away with the next commit."""

import asyncio
from collections.abc import Mapping

from statefun_runtime.interfaces import Egress, OutboxBatch, Payload, Rejected
from statefun_runtime.testing.contract import ContractError, CrashError


class MemoryOutbox:
    """The durable batches of one egress, and its Outlet. `commit` removes what was released, `crash` forgets that.

    With `crash_at` the runtime dies in the call of `released` that is the `crash_at`-th: nothing of it or after it is
    kept, and all calls raise CrashError from then on.
    """

    def __init__(self, lineage: str = "lineage", crash_at: int | None = None) -> None:
        self.batches: list[OutboxBatch] = []
        self.position: bytes | None = None
        self.restored = False
        self.rejected: list[Rejected] = []
        self.released_epochs: list[int] = []
        self.crashed = False
        self.lineage = lineage
        self._crash_at = crash_at
        self._reports = 0
        self.last_epoch = 0
        """The epoch that was added last."""
        self._released = 0
        self._released_position: bytes | None = None
        self._changed = asyncio.Event()

    def add(self, *records: Payload) -> OutboxBatch:
        """A new durable epoch; committing it commits what was released before."""
        self.commit()
        self.last_epoch += 1
        batch = OutboxBatch(self.lineage, self.last_epoch, records)
        self.batches.append(batch)
        return batch

    def released(self, epoch: int, position: bytes | None = None) -> None:
        self.released_epochs.append(epoch)
        self._changed.set()
        self._reports += 1
        if self.crashed or self._reports == self._crash_at:
            self.crashed = True
            raise CrashError(f"the runtime died when epoch {epoch} was reported")
        if epoch and not self._released <= epoch <= self.last_epoch:
            raise ContractError(
                f"epoch {epoch} was reported after {self._released}, while {self.last_epoch} was the last"
            )
        self._released = max(epoch, self._released)
        self._released_position = position if position is not None else self._released_position

    async def reject(self, batch: OutboxBatch, records: Mapping[int, Rejected]) -> OutboxBatch:
        """Durable at once."""
        if self.crashed:
            raise CrashError(f"the runtime died before records of epoch {batch.epoch} were rejected")
        left = batch._replace(records=[record for at, record in enumerate(batch.records) if at not in records])
        self.batches = [left if each[:2] == left[:2] else each for each in self.batches]
        self.rejected += [records[at] for at in sorted(records)]
        return left

    async def until_released(self, epoch: int) -> None:
        while self._released < epoch:
            self._changed.clear()
            await self._changed.wait()

    @property
    def last_released(self) -> int:
        """The epoch that was released last; 0 if none was."""
        return self._released

    def commit(self) -> None:
        self.batches = [batch for batch in self.batches if batch.epoch > self._released]
        self.position = self._released_position

    def crash(self, crash_at: int | None = None) -> None:
        """Go back to the last commit. The next runtime dies at its `crash_at`-th report."""
        self.crashed, self._crash_at, self._reports = False, crash_at, 0
        self._released_position = self.position
        self._released = self.batches[0].epoch - 1 if self.batches else self._released

    def restore(self, lineage: str) -> "MemoryOutbox":
        """The outbox of a runtime that was restored from a savepoint of the last commit, as `lineage`."""
        restored = MemoryOutbox(lineage)
        restored.restored = True
        restored.batches, restored.last_epoch = list(self.batches), self.last_epoch
        restored.position = restored._released_position = self.position
        return restored

    async def start(self, egress: Egress) -> None:
        """Start `egress` as after a restart: with the kept position, and all batches again."""
        await egress.start(self, self.position)
        for batch in self.batches:
            egress.write(batch)
