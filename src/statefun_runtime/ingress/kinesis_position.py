"""The positions of a Kinesis ingress: JSON, so that `/status` shows them.

Two kinds of partition: `<stream>` says where reading began, `<stream>/<shard>` how far a shard was read.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from statefun_runtime.kinesis.client import Shard


class Begin(NamedTuple):
    """How reading of a stream began, once and for all.

    `shards` are read from `since` on (milliseconds since the epoch; None: from the oldest record), those in `passed`
    not at all. All others came later and are read from their oldest record.
    """

    since: int | None
    shards: frozenset[str]
    passed: frozenset[str]

    def encode(self) -> bytes:
        rows = {"since": self.since, "shards": sorted(self.shards), "passed": sorted(self.passed)}
        return json.dumps(rows).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "Begin":
        rows = cast("dict[str, Any]", json.loads(encoded))
        return cls(rows["since"], frozenset(rows["shards"]), frozenset(rows["passed"]))


class Place(NamedTuple):
    """How far a shard was read: through the record `sequence`, of which the first `sub` user records if not all."""

    sequence: str
    sub: int | None = None
    at_end: bool = False
    """Whether there is nothing behind it: the shard was split or merged."""

    def encode(self) -> bytes:
        if self.at_end:
            return b'{"end": true}'
        rows = {"sequence": self.sequence} if self.sub is None else {"sequence": self.sequence, "sub": self.sub}
        return json.dumps(rows).encode()

    @classmethod
    def decode(cls, encoded: bytes) -> "Place":
        rows = cast("dict[str, Any]", json.loads(encoded))
        return END if rows.get("end") else cls(rows["sequence"], rows.get("sub"))


END = Place("", None, at_end=True)


@dataclass(slots=True)
class StreamPosition:
    """All that is known of one stream."""

    stream: str
    begin: Begin | None
    places: dict[str, Place]

    def readable(self, shards: Iterable[Shard]) -> list[Shard]:
        """The shards that may be read now: not at their end, and all of their parents are, or are gone."""
        there = {shard.id: shard for shard in shards}
        return [
            shard
            for shard in there.values()
            if not self._is_over(shard.id)
            and all(parent not in there or self._is_over(parent) for parent in shard.parents)
        ]

    def start(self, shard: str) -> Mapping[str, object]:
        """The parameters of GetShardIterator for what comes next in a shard."""
        place = self.places.get(shard)
        if place is not None:
            kind = "AFTER_SEQUENCE_NUMBER" if place.sub is None else "AT_SEQUENCE_NUMBER"
            return {"ShardIteratorType": kind, "StartingSequenceNumber": place.sequence}
        if self.begin is None or self.begin.since is None or shard not in self.begin.shards:
            return {"ShardIteratorType": "TRIM_HORIZON"}
        return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": self.begin.since / 1000}

    def taken(self, shard: str, sequence: str) -> int:
        """How many user records of a record were taken before."""
        place = self.places.get(shard)
        return place.sub or 0 if place is not None and place.sequence == sequence else 0

    def _is_over(self, shard: str) -> bool:
        place = self.places.get(shard)
        return (place is not None and place.at_end) or (self.begin is not None and shard in self.begin.passed)


def decode_positions(stream: str, positions: Mapping[str, bytes]) -> StreamPosition:
    """The position of one stream, of those of an ingress by partition."""
    prefix = f"{stream}/"
    begin = positions.get(stream)
    places = {
        name.removeprefix(prefix): Place.decode(encoded)
        for name, encoded in positions.items()
        if name.startswith(prefix)
    }
    return StreamPosition(stream, Begin.decode(begin) if begin is not None else None, places)
