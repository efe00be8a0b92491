"""Where reading a Kafka partition begins."""

from enum import Enum
from typing import NamedTuple, TypeAlias

from statefun_runtime.module.ingress_spec import (
    DateStartup,
    EarliestStartup,
    GroupOffsetsStartup,
    KafkaIngressSpec,
    LatestStartup,
    SpecificOffsetsStartup,
)


class Edge(Enum):
    """A point that the broker knows."""

    EARLIEST = "earliest"
    LATEST = "latest"
    GROUP = "group"
    """The offset that the group committed; without one, where `autoOffsetResetPosition` says."""


class Moment(NamedTuple):
    """The first record that is not older than `time` (milliseconds since the epoch); else behind the newest."""

    time: int


Start: TypeAlias = int | Edge | Moment


def start_of(spec: KafkaIngressSpec, topic: str, partition: int, *, found_later: bool) -> Start:
    """Where to begin with a partition that has no position of its own.

    One that was added to a topic that is read already begins at its oldest record, so that none is lost.
    """
    if found_later:
        return Edge.EARLIEST
    match spec.startup_position:
        case GroupOffsetsStartup():
            return _of_group(spec)
        case EarliestStartup():
            return Edge.EARLIEST
        case LatestStartup():
            return Edge.LATEST
        case SpecificOffsetsStartup() as startup:
            return startup.by_partition.get((topic, partition), _of_group(spec))
        case DateStartup(date=date):
            return Moment(int(date.timestamp() * 1000))


def _of_group(spec: KafkaIngressSpec) -> Edge:
    # Without a group nothing was ever committed, and asking for it might not be allowed.
    return Edge(spec.auto_offset_reset_position) if spec.group is None else Edge.GROUP
