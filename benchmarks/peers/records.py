"""Records of 100 bytes that are written to a topic of Kafka, at once or at their times, and read when committed."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from threading import Event
from typing import cast

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from benchmarks.kafka.traffic import SECONDS, Writer

SIZE = 100
QUIET = {"log_level": 0}


def create(address: str, topic: str) -> None:
    """Make a topic of one partition."""
    admin = AdminClient({"bootstrap.servers": address, **QUIET})
    # The binding leaves open what its futures hold.
    made = cast("dict[str, Future[None]]", admin.create_topics([NewTopic(topic, 1)]))
    for future in made.values():
        future.result(SECONDS)


def fill(address: str, topic: str, count: int, keys: int) -> None:
    """Write records under random keys as fast as the broker takes them."""
    writer, random = Writer(address, topic, linger_ms=20), Random(1)
    for _ in range(count):
        writer.write(b"%d" % random.randrange(keys), _value(time.monotonic()))
    writer.finish()


def latencies(address: str, topics: tuple[str, str], rate: float, count: int) -> list[float]:
    """Seconds from when each record was to be written to one topic until it was read, committed, from the other.

    One record that was written before must come out first: then what is measured runs.
    """
    source, sink = topics
    reader = Reader(address, sink)
    list(reader.read(1, SECONDS))
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(_write_at, Writer(address, source, linger_ms=0), rate, count, stop)
        try:
            found = list(reader.read(count, count / rate + SECONDS))
        finally:
            stop.set()
            writing.result()
            reader.close()
    return found


def _write_at(writer: Writer, rate: float, count: int, stop: Event) -> None:
    """Write at equal distances, whatever becomes of those before, until `stop`; one that is late bears its time."""
    random, start = Random(2), time.monotonic()
    for number in range(count):
        due = start + number / rate
        if (wait := due - time.monotonic()) > 0 and stop.wait(wait):
            break
        writer.write(b"%d" % random.randrange(100_000), _value(due))
    writer.finish()


def _value(due: float) -> bytes:
    return (b"%.6f" % due).ljust(SIZE)


class Reader:
    """Reads the committed records of a topic from its start on."""

    def __init__(self, address: str, topic: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": "reader",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                **QUIET,
            }
        )
        self._consumer.assign([TopicPartition(topic, 0, 0)])

    def read(self, count: int, seconds: float) -> Iterator[float]:
        """The ages of the next records, whose values begin with times. Raises TimeoutError if they do not come."""
        give_up, found = time.monotonic() + seconds, 0
        while found < count:
            message = self._consumer.poll(0.1)
            now = time.monotonic()
            if message is None:
                if now > give_up:
                    raise TimeoutError(f"{found} of {count} records came within {seconds:.0f} s")
                continue
            if (error := message.error()) is not None:
                raise KafkaException(error)
            found += 1
            yield now - float((message.value() or b"").split()[0])

    def close(self) -> None:
        self._consumer.close()
