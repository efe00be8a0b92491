"""The messages that wait at the HTTP egress, by topic, and the epochs they hold up. No I/O."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple


class Held:
    """An epoch with the number of its messages that were not delivered yet."""

    __slots__ = ("epoch", "remaining")

    def __init__(self, epoch: int, remaining: int) -> None:
        self.epoch = epoch
        self.remaining = remaining


class Waiting(NamedTuple):
    """A message on its way out; `held` is its epoch."""

    topic: str
    body: bytes
    held: Held


class Topics:
    """A queue for each topic. An epoch is done when its messages and those of all earlier epochs are delivered."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Waiting]] = {}
        self._held: deque[Held] = deque()

    def add(self, epoch: int, messages: Iterable[tuple[str, bytes]]) -> None:
        """Queue the messages of an epoch, as (topic, body) in order; there may be none."""
        held = Held(epoch, 0)
        for topic, body in messages:
            self._queues.setdefault(topic, deque()).append(Waiting(topic, body, held))
            held.remaining += 1
        self._held.append(held)

    def take(self, topic: str) -> Waiting | None:
        """The next message of a topic; follow with `delivered` or `put_back`."""
        queue = self._queues.get(topic)
        if not queue:
            return None
        message = queue.popleft()
        if not queue:
            del self._queues[topic]
        return message

    def put_back(self, message: Waiting) -> None:
        """Make a message that was not delivered the next one of its topic again."""
        self._queues.setdefault(message.topic, deque()).appendleft(message)

    def delivered(self, message: Waiting) -> None:
        message.held.remaining -= 1

    def done(self) -> int | None:
        """The last epoch that is newly done; `None` if there is none."""
        epoch = None
        while self._held and not self._held[0].remaining:
            epoch = self._held.popleft().epoch
        return epoch
