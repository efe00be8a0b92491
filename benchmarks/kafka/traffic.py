"""Records that are written to a topic of Kafka at their times, and read from another once they are committed.

A value is `<time at which it was to be written> <filling>`; what reads it may find further times before that.
"""

import time
from collections.abc import Iterator
from concurrent.futures import Future
from random import Random
from typing import NamedTuple, cast

from confluent_kafka import Consumer, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

PARTITIONS = 4
KEYS = 100_000
FILLING = b"x" * 80
SECONDS = 60.0
AT_ONCE = 2000


class Arrival(NamedTuple):
    """A record as it was read: when, when its broker appended it (milliseconds), and its value."""

    at: float
    appended: int
    value: bytes


def create(address: str, *topics: str) -> None:
    """Make topics whose records bear the times at which the broker appended them."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    config = {"message.timestamp.type": "LogAppendTime"}
    new = [NewTopic(topic, PARTITIONS, config=config) for topic in topics]
    # The binding leaves open what its futures hold.
    made = cast("dict[str, Future[None]]", admin.create_topics(new))  # pyright: ignore[reportUnknownMemberType]
    for future in made.values():
        future.result(SECONDS)


class Writer:
    """Writes records under random keys, as an ordinary program would."""

    def __init__(self, address: str, topic: str, linger_ms: float) -> None:
        """Args: `linger_ms` is for how long the client gathers records before it sends them."""
        self._producer = Producer({"bootstrap.servers": address, "linger.ms": linger_ms, "log_level": 0})
        self._topic = topic
        self._random = Random(1)

    def write_burst(self, count: int) -> None:
        """Write records as fast as the broker takes them."""
        for _ in range(count):
            self._write(time.time())
        self.finish()

    def write_at(self, rate: float, count: int) -> None:
        """Write records at equal distances, whatever becomes of those before; one that is late bears its time."""
        start = time.time()
        for number in range(count):
            due = start + number / rate
            wait = due - time.time()
            if wait > 0:
                time.sleep(wait)
            self._write(due)
        self.finish()

    def _write(self, due: float) -> None:
        self.write(b"%d" % self._random.randrange(KEYS), b"%.6f %b" % (due, FILLING))

    def write(self, key: bytes, value: bytes) -> None:
        """Hand a record to the client, as soon as it has room."""
        while True:
            try:
                self._producer.produce(self._topic, value, key)
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def finish(self) -> None:
        """Wait until all records are written. Raises TimeoutError."""
        if self._producer.flush(SECONDS):
            raise TimeoutError(f"records for {self._topic} were not taken in time")


class Reader:
    """Reads the committed records of a topic from its end on."""

    def __init__(self, address: str, topic: str) -> None:
        self._topic = topic
        self._consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": "reader",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "log_level": 0,
            }
        )
        ends = [self._end(number) for number in range(PARTITIONS)]
        self._consumer.assign([TopicPartition(topic, number, end) for number, end in enumerate(ends)])

    def read(self, count: int) -> list[Arrival]:
        """The next records. Raises TimeoutError if they do not come."""
        found: list[Arrival] = []
        give_up = time.monotonic() + SECONDS
        while len(found) < count:
            if time.monotonic() > give_up:
                raise TimeoutError(f"{len(found)} of {count} records of {self._topic} came within {SECONDS:.0f} s")
            found += self._next()
        return found

    def close(self) -> None:
        self._consumer.close()

    def _next(self) -> Iterator[Arrival]:
        first = self._consumer.poll(0.1)
        if first is None:
            return
        messages = [first, *self._consumer.consume(AT_ONCE, 0)]
        now = time.time()
        yield from (_arrival(message, now) for message in messages)

    def _end(self, number: int) -> int:
        give_up = time.monotonic() + SECONDS
        while True:
            try:
                return self._consumer.get_watermark_offsets(TopicPartition(self._topic, number), SECONDS)[1]
            except KafkaException:
                # The partition of a new topic has no leader for a moment.
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.1)


def _arrival(message: Message, now: float) -> Arrival:
    error = message.error()
    if error is not None:
        raise KafkaException(error)
    return Arrival(now, message.timestamp()[1], message.value() or b"")
