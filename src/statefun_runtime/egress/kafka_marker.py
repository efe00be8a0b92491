"""The marker of an exactly-once egress: who writes, and the last epoch that is out, of each run. A record in Kafka.

It is written in the same transaction as the records, so that it says what went out and nothing else does. Outbox rows
outlive the run that made them, so the marker knows former runs too.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from uuid import uuid4

from statefun_runtime.egress.kafka_runs import Runs

_KEPT_RUNS = 64
"""More than outbox rows can outlive: a row is removed by the commit after it went out."""

_NOT_IN_A_TOPIC = re.compile(r"[^a-zA-Z0-9._-]")


class MarkerError(Exception):
    """A record is no marker."""


@dataclass(slots=True)
class Claim:
    """That this process is the one that writes, from its first transaction until another process makes a claim.

    Kafka says `fenced` both to a process that another one has replaced and to one that was stopped for longer than its
    transaction may last. Only the claim tells them apart: it is in the marker, and the later one counts.
    """

    runs: Runs
    """Those of the data directory, this process's last."""
    writer: str = field(default_factory=lambda: uuid4().hex)
    made: bool = False


class Marker:
    """What went out, by the keys of runs; the run written last comes last. And who wrote it."""

    def __init__(self, epochs: Mapping[str, int] | None = None, writer: str = "") -> None:
        self.writer = writer
        self.epochs: Mapping[str, int] = epochs or {}

    def has(self, key: str, epoch: int) -> bool:
        """Whether an epoch of a run went out."""
        return epoch <= self.epochs.get(key, -1)

    def after(self, key: str, epoch: int) -> "Marker":
        """The marker once this epoch went out too."""
        epochs = {other: last for other, last in self.epochs.items() if other != key}
        epochs[key] = epoch
        return Marker(dict(list(epochs.items())[-_KEPT_RUNS:]), self.writer)

    def claimed_by(self, writer: str) -> "Marker":
        """The same for another writer."""
        return Marker(self.epochs, writer)

    def encode(self) -> bytes:
        return json.dumps({"writer": self.writer, "epochs": list(self.epochs.items())}).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "Marker":
        """Raises MarkerError."""
        try:
            fields = cast("dict[str, object]", json.loads(encoded))
            rows = cast("list[tuple[str, int]]", fields["epochs"])
            return cls({str(key): int(epoch) for key, epoch in rows}, str(fields["writer"]))
        except (ValueError, TypeError, KeyError) as error:
            raise MarkerError("the last record of the marker topic is no marker") from error


def transactional_id(application_id: str, egress_id: str) -> str:
    """The same over restarts and restores, so that of two copies of an application only one can write."""
    return _NOT_IN_A_TOPIC.sub(".", f"{application_id}-{egress_id}")


def marker_topic(transaction_id: str) -> str:
    """The compacted one-partition topic with the markers of an egress."""
    return f"{transaction_id}-marker"
