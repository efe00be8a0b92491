"""Which epochs' egress records are durable and not yet known to be out, and which of them are in memory."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from statefun_runtime.engine.limits import Limits
from statefun_runtime.epoch import Epoch, OutboxEntry


class _Queue:
    """The entries of one egress in order: first those it was handed, whose records it keeps, then those on disk."""

    __slots__ = ("handed", "handed_size", "size", "stored")

    def __init__(self, entries: Iterable[OutboxEntry]) -> None:
        self.handed: deque[OutboxEntry] = deque()
        self.handed_size = 0
        self.stored = deque(entries)
        self.size = sum(entry.size for entry in self.stored)

    def has_room(self, size: int, memory: int) -> bool:
        """Whether the egress may be handed `size` more bytes; an entry larger than all of its memory goes alone."""
        return not self.handed or self.handed_size + size <= memory

    def hand(self, entry: OutboxEntry) -> None:
        self.handed.append(entry)
        self.handed_size += entry.size


class Outbox:
    """By egress, the epochs whose rows are in the store.

    An egress is handed as many records as fit into `outbox_memory`; the others stay on disk, and it gets them as it
    releases what it has. Above `outbox_limit` it is full, until only three quarters of that wait.
    """

    def __init__(self, recovered: Mapping[str, Sequence[OutboxEntry]], egresses: Iterable[str], limits: Limits) -> None:
        self._queues = {egress: _Queue(recovered.get(egress, ())) for egress in egresses}
        self._limits = limits
        self.is_open = True
        """Whether egresses take records; while they do not, everything stays on disk."""
        self.full = {egress for egress, queue in self._queues.items() if queue.size > limits.outbox_limit}
        """The egresses for which more waits than there may: ingresses pause."""

    def __len__(self) -> int:
        return sum(map(self.waiting, self._queues))

    def waiting(self, egress: str) -> int:
        """How many durable epochs have records for this egress that are not known to be out."""
        queue = self._queues.get(egress)
        return len(queue.handed) + len(queue.stored) if queue else 0

    def size(self, egress: str) -> int:
        """The bytes of these records, and of those whose epoch is not yet durable."""
        queue = self._queues.get(egress)
        return queue.size if queue else 0

    def add(self, egress: str, size: int) -> None:
        """Count a record that will wait once its epoch is durable; `size` as in an entry."""
        queue = self._queues[egress]
        queue.size += size
        if queue.size > self._limits.outbox_limit:
            self.full.add(egress)

    def durable(self, egress: str, entry: OutboxEntry) -> bool:
        """Note that the records of an epoch, which were added, may go out; whether the egress is handed them now."""
        queue = self._queues[egress]
        now = self.is_open and not queue.stored and queue.has_room(entry.size, self._limits.outbox_memory)
        if now:
            queue.hand(entry)
        else:
            queue.stored.append(entry)
        return now

    def next(self, egress: str) -> int | None:
        """The epoch to hand to this egress next, from disk; `None` if there is none or the egress has no room."""
        queue = self._queues[egress]
        if not self.is_open or not queue.stored:
            return None
        if not queue.has_room(queue.stored[0].size, self._limits.outbox_memory):
            return None
        entry = queue.stored.popleft()
        queue.hand(entry)
        return entry.epoch

    def released(self, egress: str, number: int, position: bytes | None, epoch: Epoch) -> None:
        """Let `epoch` remove the rows up to `number`, and keep the sink's position."""
        queue = self._queues.get(egress)
        if queue is None:
            return
        while queue.handed and queue.handed[0].epoch <= number:
            entry = queue.handed.popleft()
            queue.handed_size -= entry.size
            queue.size -= entry.size
            epoch.outbox_gone.append((egress, entry.epoch))
            epoch.outbox_left.pop((egress, entry.epoch), None)
        if queue.size <= self._limits.outbox_limit * 3 // 4:
            self.full.discard(egress)
        if position is not None:
            epoch.sinks[egress] = position
