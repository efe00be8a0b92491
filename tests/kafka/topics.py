"""Makes topics, writes them and reads them back, as another program would."""

import time
from collections.abc import Sequence

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.e2e.command import wait_until

SECONDS = 30.0
COORDINATOR_STARTS = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)
"""What a broker answers about its first group until it is that group's coordinator."""


def create(address: str, *topics: str, partitions: int = 1) -> None:
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    created = admin.create_topics([NewTopic(topic, partitions) for topic in topics])
    for future in created.values():
        future.result(SECONDS)


def delete(address: str, topic: str) -> None:
    """Delete a topic and wait until its name is free."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    for future in admin.delete_topics([topic], operation_timeout=SECONDS).values():
        future.result(SECONDS)
    wait_until(lambda: topic not in admin.list_topics(timeout=SECONDS).topics, f"the end of {topic}")


def add_partitions(address: str, topic: str, total: int) -> None:
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    for future in admin.create_partitions([NewPartitions(topic, total)]).values():
        future.result(SECONDS)


def committed(address: str, group: str, topic: str) -> int:
    """The offset that a group committed for partition 0; negative if none, or none that the broker can tell yet."""
    consumer = Consumer({"bootstrap.servers": address, "group.id": group, "log_level": 0})
    try:
        return consumer.committed([TopicPartition(topic, 0)], SECONDS)[0].offset
    except KafkaException as error:
        if error.args[0].code() not in COORDINATOR_STARTS:
            raise
        return OFFSET_INVALID
    finally:
        consumer.close()


class Writer:
    """Writes records, each at once and each once, whatever becomes of the broker meanwhile."""

    def __init__(self, address: str) -> None:
        self._producer = Producer(
            {"bootstrap.servers": address, "linger.ms": 0, "enable.idempotence": True, "log_level": 0}
        )

    def write(self, topic: str, records: Sequence[tuple[bytes | None, bytes | None]], partition: int = -1) -> None:
        """Write and wait until all are there; by key, unless a partition is named."""
        for key, value in records:
            self._producer.produce(topic, value, key, partition)
        # A broker that was killed on a busy machine may be away for half a minute.
        assert self._producer.flush(4 * SECONDS) == 0


class Reader:
    """Reads committed records of one topic from its start."""

    def __init__(self, address: str, topic: str, partitions: int = 1) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": "tests",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "metadata.recovery.strategy": "none",
                "log_level": 0,
            }
        )
        self._consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        self.records: list[tuple[str, str]] = []
        self.times: list[float] = []
        """When each was read."""
        self.last_error = "none"
        """What the client told last instead of a record, and when."""

    def read(self, count: int) -> list[tuple[str, str]]:
        """All (key, value) until there are `count`, and what comes right behind them."""
        give_up = time.monotonic() + 2 * SECONDS
        while len(self.records) < count:
            assert time.monotonic() < give_up, f"{len(self.records)} of {count} records came"
            self.poll(1.0)
        while self.poll(1.5):
            pass
        return self.records

    def poll(self, seconds: float) -> bool:
        """Read one record, if one comes in time. Returns whether something came, be it an error."""
        message = self._consumer.poll(seconds)
        if message is None:
            return False
        error = message.error()
        if error is not None:
            self.last_error = f"{error} at {time.time():.3f}"
        else:
            self.records.append(((message.key() or b"").decode(), (message.value() or b"").decode()))
            self.times.append(time.time())
        return True

    def close(self) -> None:
        self._consumer.close()
