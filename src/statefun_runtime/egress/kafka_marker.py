"""The marker of an exactly-once egress: the last epoch that is out, of each lineage, as a record in Kafka.

It is written in the same transaction as the records, so that it says what went out and nothing else does. A restore
begins a lineage and keeps the outbox rows of the former ones, so the marker knows these too.
"""

import json
import re
from typing import cast

from statefun_runtime.interfaces import OutboxBatch

_KEPT_LINEAGES = 64
"""More restores than outbox rows can outlive: a row is removed by the commit after it went out."""

_NOT_IN_A_TOPIC = re.compile(r"[^a-zA-Z0-9._-]")


class MarkerError(Exception):
    """A record is no marker."""


class Marker:
    """What went out, by lineage; the lineage written last comes last."""

    def __init__(self, epochs: dict[str, int] | None = None) -> None:
        self._epochs = epochs or {}

    def has(self, batch: OutboxBatch) -> bool:
        """Whether the batch went out."""
        return batch.epoch <= self._epochs.get(batch.lineage, -1)

    def after(self, batch: OutboxBatch) -> "Marker":
        """The marker once this batch went out too."""
        epochs = dict(self._epochs)
        epochs.pop(batch.lineage, None)
        epochs[batch.lineage] = batch.epoch
        return Marker(dict(list(epochs.items())[-_KEPT_LINEAGES:]))

    def encode(self) -> bytes:
        """JSON: a list of [lineage, last epoch]."""
        return json.dumps(list(self._epochs.items())).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "Marker":
        """Raises MarkerError."""
        try:
            rows = cast("list[tuple[str, int]]", json.loads(encoded))
            epochs = {str(lineage): int(epoch) for lineage, epoch in rows}
        except (ValueError, TypeError) as error:
            raise MarkerError("the last record of the marker topic is no marker") from error
        return cls(epochs)


def transactional_id(application_id: str, egress_id: str) -> str:
    """The same over restarts and restores, so that of two copies of an application only one can write."""
    return _NOT_IN_A_TOPIC.sub(".", f"{application_id}-{egress_id}")


def marker_topic(transaction_id: str) -> str:
    """The compacted one-partition topic with the markers of an egress."""
    return f"{transaction_id}-marker"
