"""What a Kinesis egress has been handed and has not reported, and how far each of these batches has come."""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from statefun_runtime.egress.kinesis_record import InvalidKinesisRecordError, decode_kinesis_record
from statefun_runtime.interfaces import OutboxBatch, RecordCounts, Rejected
from statefun_runtime.kinesis.client import PutRecord


class PendingBatch:
    """A batch, how many of its records are taken up and settled, and which are refused, by their places."""

    __slots__ = ("batch", "refused", "settled", "taken")

    def __init__(self, batch: OutboxBatch) -> None:
        self.batch = batch
        self.taken = 0
        self.settled = 0
        self.refused: dict[int, Rejected] = {}

    @property
    def is_settled(self) -> bool:
        """Whether each record is out or refused."""
        return self.settled == len(self.batch.records)


class Item(NamedTuple):
    """A record on its way, and where it comes from."""

    pending: PendingBatch
    place: int
    record: PutRecord

    @property
    def size(self) -> int:
        """The bytes that count in a request."""
        return len(self.record.data) + len(self.record.partition_key.encode())


class Progress:
    """The batches in order. A record is taken up, then it is settled: it is out, or refused."""

    def __init__(self, counts: RecordCounts) -> None:
        self.counts = counts
        self.under_way = 0
        """Records that are taken up and not settled."""
        self.changed = asyncio.Event()
        """Set when there is something to take up or to report."""
        self._batches: deque[PendingBatch] = deque()
        self._untaken: deque[PendingBatch] = deque()

    def add(self, batch: OutboxBatch) -> None:
        """Take a batch."""
        pending = PendingBatch(batch)
        self._batches.append(pending)
        self._untaken.append(pending)
        self.changed.set()

    def take_up(self, most: int) -> Iterator[tuple[str, Item]]:
        """Further records with their streams, in order, while fewer than `most` are under way."""
        while self._untaken and self.under_way < most:
            pending = self._untaken[0]
            if pending.taken == len(pending.batch.records):
                self._untaken.popleft()
                continue
            place = pending.taken
            pending.taken += 1
            self.under_way += 1
            try:
                stream, record = decode_kinesis_record(pending.batch.records[place])
            except InvalidKinesisRecordError as error:
                self._refuse(pending, place, "", f"the record {error}")
            else:
                yield stream, Item(pending, place, record)

    def is_out(self, item: Item) -> None:
        """Note that a record has been confirmed."""
        self.counts.records += 1
        self._settle(item.pending)

    def is_refused(self, item: Item, stream: str, reason: str) -> None:
        """Note that a record will never go out."""
        self._refuse(item.pending, item.place, stream, f"Kinesis refuses it for the stream {stream}: {reason}")

    def settled(self) -> list[PendingBatch]:
        """The batches that may be reported, in order, which are forgotten here."""
        found: list[PendingBatch] = []
        while self._batches and self._batches[0].is_settled:
            found.append(self._batches.popleft())
        return found

    def _refuse(self, pending: PendingBatch, place: int, where: str, reason: str) -> None:
        pending.refused[place] = Rejected(where, pending.batch.records[place], reason)
        self._settle(pending)

    def _settle(self, pending: PendingBatch) -> None:
        pending.settled += 1
        self.under_way -= 1
        self.changed.set()
