"""Sends batches to Kafka. Everything here blocks; the egress calls it on one thread of its own."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from statefun_runtime.egress.kafka_record import InvalidKafkaRecordError, KafkaRecord, decode_kafka_record
from statefun_runtime.interfaces import OutboxBatch, RecordCounts
from statefun_runtime.kafka.errors import FAILED, HOPELESS, PURGED_FROM_QUEUE, PURGED_IN_FLIGHT, TIMED_OUT

_FLUSH_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Rejections:
    """The records that will not be sent: logged and counted once, remembered as long as their batch waits."""

    def __init__(self, egress_id: str, counts: RecordCounts) -> None:
        self._egress_id = egress_id
        self._counts = counts
        self._rejected: set[tuple[str, int, int]] = set()

    def add(self, batch: OutboxBatch, index: int, reason: str) -> None:
        """Reject a record; `reason` completes "a record …"."""
        key = (batch.lineage, batch.epoch, index)
        if key not in self._rejected:
            self._rejected.add(key)
            self._counts.rejected += 1
            _log.error("egress %s: epoch %d: rejected, a record %s", self._egress_id, batch.epoch, reason)

    def sendable(self, batch: OutboxBatch) -> Iterator[tuple[int, KafkaRecord]]:
        """The records of a batch that were not rejected, with their places."""
        for index, payload in enumerate(batch.records):
            if (batch.lineage, batch.epoch, index) in self._rejected:
                continue
            try:
                yield index, decode_kafka_record(payload)
            except InvalidKafkaRecordError as error:
                self.add(batch, index, str(error))

    def forget(self, batches: Sequence[OutboxBatch]) -> None:
        """Forget what was rejected of batches that are done."""
        done = {(batch.lineage, batch.epoch) for batch in batches}
        self._rejected = {key for key in self._rejected if key[:2] not in done}


class Deliveries:
    """Hands records to a producer and gathers what became of them."""

    def __init__(self, producer: Producer, rejections: Rejections) -> None:
        self._producer = producer
        self._rejections = rejections
        self._failed: KafkaError | None = None
        self.rejected = False
        """Whether a record was refused for good after others of its transaction were taken."""
        self.sent = 0

    def send(self, batch: OutboxBatch) -> None:
        """Give all records of a batch to the producer."""
        for index, record in self._rejections.sendable(batch):
            report = partial(self._report, batch, index)
            try:
                self._produce(record, report)
                self.sent += 1
            except KafkaException as error:
                self._report(batch, index, error.args[0], None)

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

    def _produce(self, record: KafkaRecord, report: "partial[None]") -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic, record.value, record.key, headers=record.headers, on_delivery=report
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def _report(self, batch: OutboxBatch, index: int, error: KafkaError | None, _message: Message | None) -> None:
        if error is None:
            return
        if error.code() in HOPELESS:
            self._rejections.add(batch, index, f"that Kafka refuses: {error.str()}")
            self.rejected = True
        elif self._failed is None or not _is_purge(error):
            self._failed = error


class PlainSender:
    """Sends without transactions: at least once."""

    def __init__(self, settings: dict[str, object], rejections: Rejections) -> None:
        self._producer = Producer(settings)
        self._rejections = rejections

    def send(self, batches: Sequence[OutboxBatch]) -> int:
        """Send batches in order; return how many records went out. Raises KafkaException."""
        deliveries = Deliveries(self._producer, self._rejections)
        for batch in batches:
            deliveries.send(batch)
        deliveries.finish()
        return deliveries.sent

    def close(self) -> None:
        """Drop what was not sent."""
        self._producer.purge(blocking=False)
        self._producer.flush(1)


def _is_purge(error: KafkaError) -> bool:
    return error.code() in {PURGED_FROM_QUEUE, PURGED_IN_FLIGHT}
