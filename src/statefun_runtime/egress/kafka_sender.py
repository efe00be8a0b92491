"""Sends batches to Kafka. Everything here blocks; the egress calls it on one thread of its own."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from statefun.protocol.egress_pb2 import KafkaProducerRecord
from statefun_runtime.egress.kafka_record import InvalidKafkaRecordError, decode_kafka_record, headers_of
from statefun_runtime.interfaces import OutboxBatch, Payload, Rejected
from statefun_runtime.kafka.errors import (
    FAILED,
    PURGED_FROM_QUEUE,
    PURGED_IN_FLIGHT,
    RECORDS_REFUSED,
    TIMED_OUT,
    TOPIC_REFUSED,
)

_FLUSH_SECONDS = 30.0
_ANSWER_SECONDS = 1.0
PROPAGATION_MS = 10_000
"""How long a topic that a broker does not know may be one that it has not heard of yet, instead of 30 s."""
PRODUCER_TUNING: Mapping[str, object] = MappingProxyType(
    {
        "topic.metadata.propagation.max.ms": PROPAGATION_MS,
        # What every delivery is told of are errors only: a call for each record that went out costs 1 us of it.
        "delivery.report.only.error": True,
    }
)

Place: TypeAlias = tuple[str, int, int]
"""(lineage and epoch of the batch, which of its records)."""


class Sent(NamedTuple):
    """What became of batches: how many records went out, and which never will.

    Without `is_out` nothing went out: what is left is to be sent again once the rejected records are dead letters.
    """

    records: int = 0
    rejected: Mapping[Place, Rejected] = MappingProxyType({})
    is_out: bool = True

    def rejected_of(self, batch: OutboxBatch) -> dict[int, Rejected]:
        """The rejected records of a batch, by their places in it."""
        return {place[2]: record for place, record in self.rejected.items() if place[:2] == batch[:2]}


class Delivery:
    """Hands the records of batches to a producer once, and gathers what became of them."""

    def __init__(self, producer: Producer, batches: Sequence[OutboxBatch]) -> None:
        self._producer = producer
        self._batches = batches
        self._failed: KafkaError | None = None
        self.sent = 0
        """Records that were delivered, once `finish` has returned."""
        self.rejected: dict[Place, Rejected] = {}
        """Records that Kafka refuses for good."""
        self.suspects: set[Place] = set()
        """Records that were refused together with others: sent alone, they show which of them is the cause."""

    @property
    def is_refused(self) -> bool:
        """Whether a record was refused."""
        return bool(self.rejected or self.suspects)

    def send(self, alone: AbstractSet[Place] = frozenset()) -> None:
        """Give all records to the producer; those in `alone` go in requests of their own."""
        for place, payload in self._payloads():
            self._give(place, payload, is_alone=place in alone)

    def send_alone(self, places: AbstractSet[Place]) -> None:
        """Give only these records to the producer, each in a request of its own."""
        for place, payload in self._payloads():
            if place in places:
                self._give(place, payload, is_alone=True)

    def finish(self) -> None:
        """Wait until all records are delivered. Raises KafkaException if one is not, and sending again may help."""
        try:
            left = self._producer.flush(_FLUSH_SECONDS)
        except SystemError as error:
            # The binding raises fatal errors between two callbacks: the second one fails of it, or the error is lost.
            if isinstance(error.__cause__, KafkaException):
                raise error.__cause__ from error
            raise KafkaException(self._failed or KafkaError(FAILED, "the client broke off")) from error
        if self._failed is not None:
            raise KafkaException(self._failed)
        if left:
            raise KafkaException(KafkaError(TIMED_OUT, f"{left} records are not delivered yet"))

    def _payloads(self) -> Iterator[tuple[Place, Payload]]:
        for lineage, epoch, records in self._batches:
            for index, payload in enumerate(records):
                yield (lineage, epoch, index), payload

    def _give(self, place: Place, payload: Payload, *, is_alone: bool) -> None:
        try:
            record = decode_kafka_record(payload)
        except InvalidKafkaRecordError as error:
            self.rejected[place] = Rejected("", payload, f"the record {error}")
            return
        if is_alone:
            self.finish()
        try:
            self._produce(record, partial(self._report, place, payload, is_alone))
            self.sent += 1
        except KafkaException as error:
            # What the client itself refuses it refuses for this record.
            self._refused(place, payload, record.topic, error.args[0], is_alone=True)
        if is_alone:
            self.finish()

    def _produce(self, record: KafkaProducerRecord, report: "partial[None]") -> None:
        # By position and without a list of no headers: by name and with one it costs three times as much. An empty key
        # is no key, as in Flink.
        arguments = (record.topic, record.value_bytes, record.key or None, -1, report)
        while True:
            try:
                if record.headers:
                    self._producer.produce(*arguments, headers=headers_of(record))
                else:
                    self._producer.produce(*arguments)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _report(
        self, place: Place, payload: Payload, is_alone: bool, error: KafkaError | None, message: Message | None
    ) -> None:
        if error is not None:
            self.sent -= 1
            topic = "" if message is None else message.topic() or ""
            self._refused(place, payload, topic, error, is_alone=is_alone)

    def _refused(self, place: Place, payload: Payload, topic: str, error: KafkaError, *, is_alone: bool) -> None:
        code = error.code()
        if code in TOPIC_REFUSED or (code in RECORDS_REFUSED and is_alone):
            self.rejected[place] = Rejected(topic, payload, f"Kafka refuses it for the topic {topic}: {error.str()}")
        elif code in RECORDS_REFUSED:
            self.suspects.add(place)
        elif self._failed is None or not _is_purge(error):
            self._failed = error


class Sender:
    """What senders do with their producer while there is nothing to send."""

    _producer: Producer

    def poll(self) -> None:
        """Let the client tell what happened to its connections. Raises KafkaException if it cannot go on."""
        self._producer.poll(0)

    def is_connected(self) -> bool:
        """Whether a broker answers."""
        try:
            self._producer.list_topics(timeout=_ANSWER_SECONDS)
        except KafkaException:
            return False
        return True


class PlainSender(Sender):
    """Sends without transactions: at least once."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._producer = Producer({**PRODUCER_TUNING, **settings})

    def send(self, batches: Sequence[OutboxBatch]) -> Sent:
        """Send batches in order. Raises KafkaException."""
        delivery = Delivery(self._producer, batches)
        delivery.send()
        delivery.finish()
        if delivery.suspects:
            delivery.send_alone(delivery.suspects)
        return Sent(delivery.sent, delivery.rejected)

    def close(self) -> None:
        """Drop what was not sent."""
        self._producer.purge(blocking=False)
        self._producer.flush(1)


def _is_purge(error: KafkaError) -> bool:
    return error.code() in {PURGED_FROM_QUEUE, PURGED_IN_FLIGHT}
