"""Reads assigned partitions of Kafka topics. Everything here blocks; the ingress calls it on one thread of its own."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from statefun_runtime.connection import Connection
from statefun_runtime.ingress.kafka_start import Edge, Moment, Start, start_of
from statefun_runtime.kafka.errors import INVALID_ARGUMENT, PARTITION_EOF
from statefun_runtime.kafka.reasons import BROKERS, plain, tell
from statefun_runtime.module.ingress_spec import KafkaIngressSpec

Partition = tuple[str, int]
"""(topic, number)."""

_SECONDS = 10.0
_POLL_SECONDS = 0.2
_MOST_RECORDS = 500
_PAUSE_SECONDS = 0.002
"""The least between the beginnings of two reads that take all there is: what comes one by one is taken together."""
_PARTITION_SECONDS = 10.0
"""How often topics are looked at for new partitions."""
_TROUBLED_SECONDS = 1.0
"""The same while something does not work."""
_ASK_SECONDS = 5.0
"""After so long without reading, the client no longer knows the ends of partitions by what it fetches."""

_log = logging.getLogger(__name__)


class KafkaReader:
    """One consumer, from its making to its first error; then another one must be made."""

    def __init__(
        self, spec: KafkaIngressSpec, settings: Mapping[str, object], group: str, connection: Connection
    ) -> None:
        """Make a consumer without partitions. Raises KafkaException if a setting is refused.

        Args:
            spec: Says what to read.
            settings: Those of the client.
            group: Its `group.id`.
            connection: Is told what works and what does not.
        """
        self._spec = spec
        self._connection = connection
        self._consumer = Consumer(
            {
                **settings,
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": spec.auto_offset_reset_position,
                "max.poll.interval.ms": 86_400_000,
                "on_commit": self._on_commit,
            }
        )
        self._next: dict[Partition, int] = {}
        """Of each assigned partition the offset behind what was read."""
        self._looked_at = 0.0
        self._read_at = 0.0
        self._pause_until = 0.0

    def is_time_to_find(self) -> bool:
        """Whether `find` is to be called before the next `read`."""
        return not self._looked_at or time.monotonic() - self._looked_at >= self._interval()

    def find(self, positions: Mapping[Partition, int]) -> dict[Partition, int]:
        """Begin to read partitions that are not read yet; return where.

        Args:
            positions: Where to go on with partitions that were read before.

        Raises:
            KafkaException: Kafka cannot be asked.
        """
        there = self._partitions()
        new = [partition for partition in there if partition not in self._next]
        starts = {partition: positions[partition] for partition in new if partition in positions}
        read_topics = {topic for topic, _ in (*positions, *self._next)}
        for topic, number in new:
            if (topic, number) not in starts:
                start = start_of(self._spec, topic, number, found_later=topic in read_topics)
                starts[topic, number] = self._resolve(TopicPartition(topic, number), start)
        if starts:
            self._assign(starts)
        self._looked_at = time.monotonic()
        return starts

    def read(self) -> dict[Partition, list[Message]]:
        """The next records of each partition, none if there are none for a while.

        Raises:
            KafkaException: A new reader is needed.
        """
        time.sleep(max(0.0, self._pause_until - time.monotonic()))
        first = self._consumer.poll(_POLL_SECONDS)
        self._read_at = time.monotonic()
        if first is None:
            return {}
        messages = [first, *self._consumer.consume(_MOST_RECORDS - 1, 0)]
        if len(messages) < _MOST_RECORDS:
            self._pause_until = self._read_at + _PAUSE_SECONDS
        return self._by_partition(messages)

    def measure_lag(self) -> None:
        """Tell how many records of each partition were not read yet."""
        knows = time.monotonic() - self._read_at < _ASK_SECONDS
        lag: dict[str, int] = {}
        # The client tells by itself what is wrong; the lag then stays as it was known.
        with suppress(KafkaException):
            for (topic, number), offset in self._next.items():
                _, end = self._consumer.get_watermark_offsets(TopicPartition(topic, number), 1.0, knows)
                # The end is negative before anything was fetched.
                lag[f"{topic}/{number}"] = max(0, end - offset)
            self._connection.lag = lag

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell the group's offsets to Kafka, for tools that show the lag; nothing here reads them again."""
        partitions = [TopicPartition(topic, number, offset) for (topic, number), offset in offsets.items()]
        self._consumer.commit(offsets=partitions, asynchronous=True)

    def close(self) -> None:
        """Release the connections."""
        self._consumer.close()

    def _interval(self) -> float:
        return _TROUBLED_SECONDS if self._connection.problems else _PARTITION_SECONDS

    def _partitions(self) -> list[Partition]:
        found: list[Partition] = []
        for topic in self._spec.topics:
            metadata = self._consumer.list_topics(topic.topic, _SECONDS).topics[topic.topic]
            if metadata.error is not None:
                self._failed(f"topic {topic.topic}", metadata.error)
            else:
                self._works(f"topic {topic.topic}")
                found += [(topic.topic, number) for number in sorted(metadata.partitions)]
        self._works(BROKERS)
        return found

    def _resolve(self, partition: TopicPartition, start: Start) -> int:
        """The offset of a start."""
        match start:
            case int():
                return start
            case Moment(time=moment):
                asked = TopicPartition(partition.topic, partition.partition, moment)
                [found] = self._consumer.offsets_for_times([asked], _SECONDS)
                return found.offset if found.offset >= 0 else self._edge(partition, Edge.LATEST)
            case Edge.GROUP:
                [found] = self._consumer.committed([partition], _SECONDS)
                if found.error is not None:
                    raise KafkaException(found.error)
                reset = Edge(self._spec.auto_offset_reset_position)
                return self._edge(partition, reset) if found.offset in (OFFSET_INVALID, -1) else found.offset
            case edge:
                return self._edge(partition, edge)

    def _edge(self, partition: TopicPartition, edge: Edge) -> int:
        low, high = self._consumer.get_watermark_offsets(partition, _SECONDS)
        return low if edge is Edge.EARLIEST else high

    def _assign(self, starts: Mapping[Partition, int]) -> None:
        added = [TopicPartition(topic, number, offset) for (topic, number), offset in starts.items()]
        self._consumer.incremental_assign(added)
        self._next.update(starts)
        _log.info(
            "ingress %s: reads %s", self._spec.id, ", ".join(f"{p.topic}/{p.partition} from {p.offset}" for p in added)
        )

    def _by_partition(self, messages: Sequence[Message]) -> dict[Partition, list[Message]]:
        found: defaultdict[Partition, list[Message]] = defaultdict(list)
        ends: dict[Partition, int] = {}
        for message in messages:
            error, topic, number = message.error(), message.topic(), message.partition()
            if error is not None and error.code() != PARTITION_EOF:
                self._note_error(error, topic)
            elif topic is not None and number is not None:
                if error is None:
                    found[topic, number].append(message)
                else:
                    # Behind what commits and aborts leave behind the last record.
                    ends[topic, number] = message.offset() or 0
        for partition, records in found.items():
            ends[partition] = max(ends.get(partition, 0), (records[-1].offset() or 0) + 1)
        self._next.update(ends)
        if self._connection.problems:
            for topic in {topic for topic, _ in ends}:
                self._works(f"records of {topic}")
        return found

    def _note_error(self, error: KafkaError, topic: str | None) -> None:
        """Tell of an error with which the client goes on. Raises KafkaException for one with which it does not."""
        if error.fatal() or error.code() == INVALID_ARGUMENT:
            raise KafkaException(error)
        self._failed(f"records of {topic}" if topic else BROKERS, error)

    def _failed(self, what: str, error: KafkaError) -> None:
        if tell(self._connection, what, error):
            _log.warning("ingress %s: %s: %s; trying again", self._spec.id, what, plain(error))

    def _works(self, what: str) -> None:
        if self._connection.works(what):
            _log.info("ingress %s: %s: it works again", self._spec.id, what)

    def _on_commit(self, error: KafkaError | None, _partitions: Iterable[TopicPartition]) -> None:
        if error is not None:
            _log.warning("ingress %s: the group's offsets were not committed: %s", self._spec.id, error.str())
