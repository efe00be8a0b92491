"""Which epochs' egress records are durable and not yet known to be out."""

from collections import deque

from statefun_runtime.epoch import Epoch
from statefun_runtime.interfaces import OutboxBatch


class Outbox:
    """By egress, the epochs whose rows are in the store."""

    def __init__(self, waiting: dict[str, list[OutboxBatch]]) -> None:
        self._epochs: dict[str, deque[int]] = {
            egress: deque(batch.epoch for batch in batches) for egress, batches in waiting.items()
        }

    def __len__(self) -> int:
        return sum(map(len, self._epochs.values()))

    def waiting(self, egress: str) -> int:
        """How many durable epochs have records for this egress that are not known to be out."""
        return len(self._epochs.get(egress, ()))

    def durable(self, egress: str, number: int) -> None:
        """Note that the records of epoch `number` may go out."""
        self._epochs.setdefault(egress, deque()).append(number)

    def released(self, egress: str, number: int, position: bytes | None, epoch: Epoch) -> None:
        """Let `epoch` remove the rows up to `number`, and keep the sink's position."""
        waiting = self._epochs.get(egress, deque())
        while waiting and waiting[0] <= number:
            epoch.outbox_gone.append((egress, waiting.popleft()))
        if position is not None:
            epoch.sinks[egress] = position
