"""Messages that are due later, in due order, and the tokens that cancel them."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from statefun_runtime.epoch import DelayedKey, DelayedMessage, Epoch
from statefun_runtime.interfaces import Address


class DelayedMessages:
    """The index of delayed messages. What was added and is gone within one epoch touches no disk."""

    def __init__(self) -> None:
        self._heap: list[DelayedKey] = []
        self._waiting: dict[DelayedKey, DelayedMessage] = {}
        self._tokens: dict[tuple[Address, str], DelayedKey] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def restore(self, message: DelayedMessage) -> None:
        """Take a durable message."""
        heappush(self._heap, message.key)
        self._waiting[message.key] = message
        if message.token:
            self._tokens[message.caller, message.token] = message.key

    def add(self, message: DelayedMessage, epoch: Epoch) -> None:
        """Take a new message. Its token, if it has one, must not be live."""
        self.restore(message)
        epoch.delayed[message.key] = message

    def is_live(self, owner: Address, token: str) -> bool:
        """Whether a message with this token waits."""
        return (owner, token) in self._tokens

    def cancel(self, owner: Address, token: str, epoch: Epoch) -> None:
        """Drop the message with this token; nothing happens if it was delivered, cancelled or never sent."""
        key = self._tokens.get((owner, token))
        if key is not None:
            self._remove(key, epoch)
            self._compact()

    def due(self, now: int, epoch: Epoch) -> Iterator[DelayedMessage]:
        """Remove and yield the messages due by now, in due order, equal times in the order they were sent."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            key = heappop(heap)
            if key in self._waiting:
                yield self._remove(key, epoch)

    def next_due(self) -> int | None:
        """When to look again, at the latest."""
        return self._heap[0][0] if self._heap else None

    def _remove(self, key: DelayedKey, epoch: Epoch) -> DelayedMessage:
        message = self._waiting.pop(key)
        if message.token:
            del self._tokens[message.caller, message.token]
        if epoch.delayed.pop(key, None) is None:
            epoch.delayed_gone.append(key)
        return message

    def _compact(self) -> None:
        # Keys of cancelled messages stay in the heap until they surface; timers that are cancelled long before they
        # are due would fill it.
        if len(self._heap) > 2 * len(self._waiting) + 1000:
            self._heap = list(self._waiting)
            heapify(self._heap)
