"""An outlet and an outbox that behave as a runtime's: what was released goes away with the next commit."""

import asyncio
from collections.abc import Sequence

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.protocol.types_pb2 import StringWrapper
from statefun_runtime.interfaces import Egress, OutboxBatch, Payload


class MemoryOutbox:
    """The durable batches of one egress, and its Outlet. `commit` removes what was released, `crash` forgets that."""

    def __init__(self) -> None:
        self.batches: list[OutboxBatch] = []
        self.position: bytes | None = None
        self.restored = False
        self.released_epochs: list[int] = []
        self._released = 0
        self._released_position: bytes | None = None
        self._changed = asyncio.Event()

    def add(self, *records: Payload) -> OutboxBatch:
        """A new durable epoch; committing it commits what was released before."""
        self.commit()
        epoch = max([self._released, *(batch.epoch for batch in self.batches)]) + 1
        batch = OutboxBatch("lineage", epoch, records)
        self.batches.append(batch)
        return batch

    def released(self, epoch: int, position: bytes | None = None) -> None:
        assert epoch >= self._released, "epochs are released in order"
        self._released = epoch
        self._released_position = position if position is not None else self._released_position
        self.released_epochs.append(epoch)
        self._changed.set()

    async def until_released(self, epoch: int) -> None:
        while self._released < epoch:
            self._changed.clear()
            await self._changed.wait()

    def commit(self) -> None:
        self.batches = [batch for batch in self.batches if batch.epoch > self._released]
        self.position = self._released_position

    def crash(self) -> None:
        """Go back to the last commit."""
        self._released_position = self.position
        self._released = self.batches[0].epoch - 1 if self.batches else self._released

    async def start(self, egress: Egress) -> None:
        """Start `egress` as after a restart: with the kept position, and all batches again."""
        await egress.start(self, self.position)
        for batch in self.batches:
            egress.write(batch)


def typed(typename: str, value: bytes) -> Payload:
    return TypedValue(typename=typename, has_value=True, value=value).SerializeToString()


def texts(*values: str) -> Sequence[Payload]:
    return [typed("io.statefun.types/string", StringWrapper(value=value).SerializeToString()) for value in values]
