"""The records for one stream by partition key. Pure: the caller tells the time, in seconds."""

from collections import deque
from heapq import heappop, heappush
from itertools import count

from statefun_runtime.egress.kinesis_progress import Item
from statefun_runtime.kinesis.backoff import Backoff


class Lane:
    """The records of one partition key in order. Only the first of them may be on its way."""

    __slots__ = ("backoff", "items", "key")

    def __init__(self, key: str, item: Item) -> None:
        self.key = key
        self.items = deque((item,))
        self.backoff = Backoff()


class Lanes:
    """Each lane is in one place: ready, waiting for its next attempt, or taken by the caller."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._ready: deque[Lane] = deque()
        self._waiting: list[tuple[float, int, Lane]] = []
        self._numbers = count()

    def __bool__(self) -> bool:
        return bool(self._lanes)

    def add(self, item: Item) -> None:
        """Put a record behind those of its key."""
        key = item.record.partition_key
        lane = self._lanes.get(key)
        if lane is not None:
            lane.items.append(item)
        else:
            lane = self._lanes[key] = Lane(key, item)
            self._ready.append(lane)

    def take(self, most_records: int, most_bytes: int, now: float) -> list[Lane]:
        """Take lanes whose first records fit into one request, one at least if any is ready."""
        while self._waiting and self._waiting[0][0] <= now:
            self._ready.append(heappop(self._waiting)[2])
        taken: list[Lane] = []
        size = 0
        while self._ready and len(taken) < most_records:
            size += self._ready[0].items[0].size
            if taken and size > most_bytes:
                break
            taken.append(self._ready.popleft())
        return taken

    @property
    def is_delayed(self) -> bool:
        """Whether a lane waits for its next attempt."""
        return bool(self._waiting)

    def next_attempt(self) -> float:
        """When the first of the lanes that are not taken is ready; 0 if one is."""
        return 0.0 if self._ready else self._waiting[0][0]

    def settle(self, lane: Lane) -> Item:
        """Give a lane back without its first record, which is done with."""
        item = lane.items.popleft()
        lane.backoff.reset()
        if lane.items:
            self._ready.append(lane)
        else:
            del self._lanes[lane.key]
        return item

    def delay(self, lane: Lane, now: float) -> None:
        """Give a lane back whose first record was not taken: it waits, each time longer."""
        heappush(self._waiting, (now + lane.backoff.next(), next(self._numbers), lane))

    def put_back(self, lanes: list[Lane]) -> None:
        """Give lanes back as they were, in front of the others."""
        self._ready.extendleft(reversed(lanes))
