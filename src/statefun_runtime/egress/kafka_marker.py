"""The marker of an exactly-once egress: who writes, and the last epoch that is out, of each lineage. A record in Kafka.

It is written in the same transaction as the records, so that it says what went out and nothing else does. A restore
begins a lineage and keeps the outbox rows of the former ones, so the marker knows these too.
"""

import json
import re
from dataclasses import dataclass, field
from typing import cast
from uuid import uuid4

from statefun_runtime.interfaces import OutboxBatch

_KEPT_LINEAGES = 64
"""More restores than outbox rows can outlive: a row is removed by the commit after it went out."""

_NOT_IN_A_TOPIC = re.compile(r"[^a-zA-Z0-9._-]")


class MarkerError(Exception):
    """A record is no marker."""


@dataclass(slots=True)
class Claim:
    """That this process is the one that writes, from its first transaction until another process makes a claim.

    Kafka says `fenced` both to a process that another one has replaced and to one that was stopped for longer than its
    transaction may last. Only the claim tells them apart: it is in the marker, and the later one counts.
    """

    known: bool
    """Whether a marker was written before; it must be there then."""
    writer: str = field(default_factory=lambda: uuid4().hex)
    made: bool = False


class Marker:
    """What went out, by lineage; the lineage written last comes last. And who wrote it."""

    def __init__(self, epochs: dict[str, int] | None = None, writer: str = "") -> None:
        self.writer = writer
        self._epochs = epochs or {}

    def has(self, batch: OutboxBatch) -> bool:
        """Whether the batch went out."""
        return batch.epoch <= self._epochs.get(batch.lineage, -1)

    def after(self, batch: OutboxBatch) -> "Marker":
        """The marker once this batch went out too."""
        epochs = dict(self._epochs)
        epochs.pop(batch.lineage, None)
        epochs[batch.lineage] = batch.epoch
        return Marker(dict(list(epochs.items())[-_KEPT_LINEAGES:]), self.writer)

    def claimed_by(self, writer: str) -> "Marker":
        """The same for another writer."""
        return Marker(self._epochs, writer)

    def encode(self) -> bytes:
        return json.dumps({"writer": self.writer, "epochs": list(self._epochs.items())}).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "Marker":
        """Raises MarkerError."""
        try:
            fields = cast("dict[str, object]", json.loads(encoded))
            rows = cast("list[tuple[str, int]]", fields["epochs"])
            return cls({str(lineage): int(epoch) for lineage, epoch in rows}, str(fields["writer"]))
        except (ValueError, TypeError, KeyError) as error:
            raise MarkerError("the last record of the marker topic is no marker") from error


def transactional_id(application_id: str, egress_id: str) -> str:
    """The same over restarts and restores, so that of two copies of an application only one can write."""
    return _NOT_IN_A_TOPIC.sub(".", f"{application_id}-{egress_id}")


def marker_topic(transaction_id: str) -> str:
    """The compacted one-partition topic with the markers of an egress."""
    return f"{transaction_id}-marker"
