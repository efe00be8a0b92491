"""Sends batches exactly once: their records and a marker in one transaction. Everything here blocks."""

import logging
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from contextlib import suppress
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from statefun_runtime.egress.kafka_marker import Claim, Marker, marker_topic
from statefun_runtime.egress.kafka_sender import PRODUCER_TUNING, PROPAGATION_MS, Delivery, Place, Sender, Sent
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import OutboxBatch
from statefun_runtime.kafka.errors import PARTITION_EOF, TIMED_OUT

_log = logging.getLogger(__name__)

_SECONDS = 10.0
_SOCKET_TIMEOUT_MS = 10_000
"""Nobody here waits for longer. With the client's own minute a connection that swallows what is sent holds up several
attempts."""
_ADMIN_POLL_SECONDS = 0.02
_TAIL = 1000
"""How many offsets before the end of the marker topic are read first; a transaction takes two."""

_TRANSACTION_TUNING = {
    "linger.ms": 0,
    "retry.backoff.ms": 5,
    "retry.backoff.max.ms": 100,
    "metadata.recovery.strategy": "none",
}
_PRODUCER_ONLY = frozenset(
    [
        "acks",
        "batch.size",
        "compression.type",
        "delivery.timeout.ms",
        "linger.ms",
        "max.in.flight.requests.per.connection",
        "message.max.bytes",
        "request.timeout.ms",
        "retries",
    ]
)


class TransactionalSender(Sender):
    """One producer from `init_transactions` to its first error; then another one must be made.

    Making it fences every other producer of the same transactional id and finishes or aborts what that one had begun.
    """

    def __init__(self, settings: Mapping[str, object], transaction_id: str, timeout: int, claim: Claim) -> None:
        """Make a producer, read the marker, and make the claim unless that was done before.

        Args:
            settings: Those of librdkafka's clients.
            transaction_id: The `transactional.id`.
            timeout: Milliseconds after which the broker ends a transaction.
            claim: The claim of this process.

        Raises:
            KafkaException: Kafka cannot be reached, or refuses.
            EgressError: A marker that was written is gone, another process has made a claim since, or more is out than
                the data directory has.
            MarkerError: The record that should be the marker is none.
        """
        self._topic = marker_topic(transaction_id)
        self._key = transaction_id.encode()
        self._transaction_id = transaction_id
        self._claim = claim
        known = {name: value for name, value in settings.items() if name not in _PRODUCER_ONLY}
        self._clients = {"socket.timeout.ms": _SOCKET_TIMEOUT_MS, **known}
        if not claim.runs.has_marker:
            self._create_topic()
        self._settings: dict[str, object] = {
            **PRODUCER_TUNING,
            **_TRANSACTION_TUNING,
            "socket.timeout.ms": min(_SOCKET_TIMEOUT_MS, timeout),
            # A topic must be known to be missing before the broker ends the transaction, or this comes again and again.
            "topic.metadata.propagation.max.ms": min(PROPAGATION_MS, timeout // 2),
            **settings,
            "transactional.id": transaction_id,
            "transaction.timeout.ms": timeout,
        }
        self._connect()

    def _connect(self) -> None:
        claim = self._claim
        # Before the new producer fences whoever writes now, and again once nobody else can write.
        self._recognised_marker(claim)
        self._producer = Producer(self._settings)
        self._producer.init_transactions(_SECONDS)
        self._marker = self._recognised_marker(claim)
        if not claim.made:
            self._marker = self._marker.claimed_by(claim.writer)
            self._commit([])
            claim.made = True

    def send(self, batches: Sequence[OutboxBatch]) -> Sent:
        """Send those batches that did not go out, all or none of them. Raises KafkaException."""
        return self._send(batches, frozenset())

    def _send(self, batches: Sequence[OutboxBatch], alone: AbstractSet[Place]) -> Sent:
        key_of = self._claim.runs.key_of
        waiting = [batch for batch in batches if not self._marker.has(key_of(batch), batch.epoch)]
        if len(waiting) < len(batches):
            _log.info("%s: %d of the waiting epochs went out before", self._topic, len(batches) - len(waiting))
        if not waiting:
            return Sent()
        delivery = self._commit(waiting, alone)
        if delivery.rejected:
            return Sent(0, delivery.rejected, is_out=False)
        return self._send(batches, alone | delivery.suspects) if delivery.suspects else Sent(delivery.sent)

    def close(self) -> None:
        """Drop what was not sent."""
        self._producer.purge(blocking=False)
        # A producer with a fatal error, such as being fenced, raises it once more whatever it is asked; between two
        # callbacks the binding makes a SystemError of it (see `Delivery.finish`).
        with suppress(KafkaException, SystemError):
            self._producer.flush(1)

    def _commit(self, batches: Sequence[OutboxBatch], alone: AbstractSet[Place] = frozenset()) -> Delivery:
        """Commit a transaction with everything in it, or nothing of it if a record is refused."""
        marker = self._marker
        for batch in batches:
            marker = marker.after(self._claim.runs.key_of(batch), batch.epoch)
        delivery = Delivery(self._producer, batches)
        self._producer.begin_transaction()
        try:
            delivery.send(alone)
            self._producer.produce(self._topic, marker.encode(), self._key, 0)
            delivery.finish()
        except KafkaException as error:
            # Once a record was refused the transaction takes no others.
            if error.args[0].fatal() or not delivery.is_refused:
                raise
        if delivery.is_refused:
            self._begin_anew()
        else:
            self._end_transaction()
            self._marker = marker
        return delivery

    def _begin_anew(self) -> None:
        """Abort and take another producer: the sequence numbers of refused records are missing in the next request."""
        self._producer.abort_transaction(_SECONDS)
        self.close()
        self._connect()

    def _end_transaction(self) -> None:
        until = time.monotonic() + _SECONDS
        while True:
            try:
                self._producer.commit_transaction(_SECONDS)
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() > until:
                    raise
            else:
                return

    def _create_topic(self) -> None:
        # The binding's types leave out callbacks.
        admin = AdminClient(cast("dict[str, str | int | float | bool]", self._clients))
        topic = NewTopic(self._topic, 1, config={"cleanup.policy": "compact", "segment.bytes": "16777216"})
        # The binding leaves open what its futures hold.
        made = cast("dict[str, Future[None]]", admin.create_topics([topic], operation_timeout=_SECONDS))  # pyright: ignore[reportUnknownMemberType]
        until = time.monotonic() + _SECONDS
        while not made[self._topic].done() and time.monotonic() < until:
            # Only who polls is told what is wrong, such as a refused login.
            admin.poll(_ADMIN_POLL_SECONDS)
        try:
            made[self._topic].result(0)
        except TimeoutError as error:
            raise KafkaException(KafkaError(TIMED_OUT, f"the topic {self._topic} could not be made in time")) from error
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise

    def _recognised_marker(self, claim: Claim) -> Marker:
        """The marker, empty before the very first one. Raises EgressError if this process must not write."""
        marker = self._read_marker()
        if marker is None:
            if claim.runs.has_marker or claim.made:
                raise EgressError(
                    f"the topic {self._topic} holds no marker any more, so what went out before is unknown. Put the "
                    "topic back; or restore a savepoint with an egress of another id, knowing that records may come "
                    "twice"
                )
            return Marker()
        if claim.made and marker.writer != claim.writer:
            raise EgressError(
                f"another runtime writes under the transactional id {self._transaction_id}, so this one must not. Stop "
                "one of the two; two applications on one Kafka need two `application_id`s"
            )
        ahead = claim.runs.behind(marker.epochs)
        if ahead is not None:
            raise EgressError(
                f"the data directory is older than what went out: the topic {self._topic} says that epoch {ahead.out} "
                f"is out, of which the directory has nothing behind epoch {ahead.durable}. So it is a copy of a "
                "directory that went on, or an old one that was put back. Start the directory that went on; if it is "
                "lost, make a savepoint of this one and restore that into a new directory (`statefun savepoint "
                "create`, `statefun savepoint restore`), knowing that what went out since may come twice"
            )
        return marker

    def _read_marker(self) -> Marker | None:
        consumer = Consumer(
            {
                **self._clients,
                "group.id": self._topic,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
            }
        )
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(self._topic, 0), _SECONDS)
            start = max(low, high - _TAIL)
            found = _last_value(consumer, self._topic, range(start, high))
            if found is None and start > low:
                found = _last_value(consumer, self._topic, range(low, high))
        finally:
            consumer.close()
        return None if found is None else Marker.decode(found)


def _last_value(consumer: Consumer, topic: str, offsets: range) -> bytes | None:
    """The value of the last committed record there, or of a later one if somebody writes meanwhile."""
    consumer.assign([TopicPartition(topic, 0, offsets.start)])
    until = time.monotonic() + _SECONDS
    found: bytes | None = None
    while time.monotonic() < until:
        message = consumer.poll(1.0)
        if message is None:
            continue
        error = message.error()
        if error is None:
            found = message.value()
            # While somebody writes, the end is never reported.
            if (message.offset() or 0) >= offsets.stop:
                return found
        elif error.code() == PARTITION_EOF:
            return found
        elif error.fatal() or not error.retriable():
            raise KafkaException(error)
    raise KafkaException(KafkaError(TIMED_OUT, f"the end of {topic} was not reached"))
