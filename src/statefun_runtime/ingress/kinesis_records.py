"""Makes messages of Kinesis records: the partition key is the target's id, the data is the message's bytes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from statefun_runtime.ingress.kinesis_aggregation import user_records
from statefun_runtime.ingress.kinesis_position import Place
from statefun_runtime.ingress.payload import value_encoder
from statefun_runtime.interfaces import Arrival
from statefun_runtime.kinesis.client import Shard, StoredRecord
from statefun_runtime.module.ingress_spec import KinesisStream

_MOST_RECORDS = 500
"""In one step, so that the runtime can say between two steps that it wants no more."""


@dataclass(slots=True)
class Step:
    """What is handed in together, and how far the shard is read then."""

    place: Place
    arrivals: list[Arrival] = field(default_factory=list[Arrival])
    records: int = 0
    foreign: int = 0
    """User records of another shard's range: the Kinesis Producer Library sends them again to that one."""


class _Unit(NamedTuple):
    place: Place
    partition_key: str
    data: bytes
    is_foreign: bool


class KinesisRecords:
    """Converts the records of one stream."""

    def __init__(self, stream: KinesisStream) -> None:
        self._targets = stream.targets
        self._encode = value_encoder(stream.value_type)

    def steps(self, shard: Shard, records: Sequence[StoredRecord], taken: int) -> Iterator[Step]:
        """The records of a shard, in order, in steps. Of the first one `taken` user records were taken before."""
        step: Step | None = None
        for unit in _units(shard, records, taken):
            step = step or Step(unit.place)
            step.place = unit.place
            if unit.is_foreign:
                step.foreign += 1
            else:
                payload = self._encode(unit.data)
                step.arrivals += [Arrival((target, unit.partition_key), payload) for target in self._targets]
                step.records += 1
            if step.records + step.foreign >= _MOST_RECORDS:
                yield step
                step = None
        if step is not None:
            yield step


def _units(shard: Shard, records: Sequence[StoredRecord], taken: int) -> Iterator[_Unit]:
    """The user records that were not taken before, each with how far the shard is read behind it."""
    for record in records:
        users = user_records(record.data)
        if users is None:
            yield _Unit(Place(record.sequence), record.partition_key, record.data, is_foreign=False)
            continue
        for number, user in enumerate(users[taken:], taken + 1):
            place = Place(record.sequence, number if number < len(users) else None)
            is_foreign = not shard.first_hash <= user.hash_key <= shard.last_hash
            yield _Unit(place, user.partition_key, user.data, is_foreign)
        taken = 0
