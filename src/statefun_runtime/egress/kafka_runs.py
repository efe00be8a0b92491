"""Which process made which epochs of a data directory: what an exactly-once egress keeps as its position.

Lineage and epoch do not name the records of an epoch for ever: a copy of a data directory goes on with the numbers with
which its original goes on. So each run of a process has a random name, under which the marker counts its epochs. The
name is durable with the run's first epoch, and a copy has the names of what it was copied with.
"""

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple, cast

from statefun_runtime.interfaces import OutboxBatch


class Run(NamedTuple):
    """The epochs of `lineage` behind `after`, up to where the next run begins."""

    name: str
    lineage: str
    after: int

    @property
    def key(self) -> str:
        """What the marker counts its epochs under."""
        return f"{self.lineage}/{self.name}"


class Ahead(NamedTuple):
    """Kafka has epoch `out`, while the data directory has the epochs of that run up to `durable` only."""

    durable: int
    out: int


class Runs(NamedTuple):
    """The runs whose records may not be out yet, in order; the last one is that of this process."""

    runs: tuple[Run, ...] = ()
    has_marker: bool = False
    """Whether a marker was written: it must be there then."""

    def begin(self, name: str, lineage: str, epoch: int) -> "Runs":
        """With the run of a process that starts on a store whose last durable epoch is `epoch`."""
        return self._replace(runs=(*self.runs, Run(name, lineage, epoch)))

    def key_of(self, batch: OutboxBatch) -> str:
        """What the marker counts the batch under: its run; its lineage, if it is older than all runs."""
        for run in reversed(self.runs):
            if run.lineage == batch.lineage and run.after < batch.epoch:
                return run.key
        return batch.lineage

    def since(self, batch: OutboxBatch) -> "Runs":
        """Without the runs that ended before the batch, which is out: so all of theirs is."""
        key = self.key_of(batch)
        first = next((at for at, run in enumerate(self.runs) if run.key == key), 0)
        return self._replace(runs=self.runs[first:])

    def behind(self, out: Mapping[str, int]) -> Ahead | None:
        """Whether other processes sent epochs of this lineage that this directory has not.

        Args:
            out: By key, the last epoch that is out.
        """
        own = self.runs[-1]
        runs = [run for run in self.runs if run.lineage == own.lineage]
        ends = {run.key: after.after for run, after in pairwise(runs)}
        for key, epoch in out.items():
            # A run that is not known here was forgotten, as all of it was out before the first one that is known; or it
            # was never here.
            end = ends.get(key, runs[0].after)
            if key.partition("/")[0] == own.lineage and key != own.key and epoch > end:
                return Ahead(end, epoch)
        return None

    def encode(self) -> bytes:
        return json.dumps({"marker": self.has_marker, "runs": self.runs}).encode()

    @classmethod
    def decode(cls, position: bytes | None) -> "Runs":
        """The runs of a position, none of one that there never was."""
        if position is None:
            return cls()
        fields = cast("dict[str, object]", json.loads(position))
        rows = cast("list[tuple[str, str, int]]", fields.get("runs", []))
        return cls(tuple(Run(*row) for row in rows), bool(fields["marker"]))
