"""How much the exactly-once Kafka egress sends in one transaction."""

from collections.abc import Sequence

import pytest
from confluent_kafka import KafkaError, KafkaException

from statefun_runtime.egress import kafka
from statefun_runtime.egress.kafka import KafkaEgress
from statefun_runtime.egress.kafka_sender import Sent
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, RecordCounts
from statefun_runtime.kafka.errors import TIMED_OUT
from statefun_runtime.module.egress_spec import KafkaEgressSpec
from statefun_runtime.testing.outbox import MemoryOutbox

SPEC = KafkaEgressSpec.model_validate(
    {
        "id": "a/out",
        "address": "127.0.0.1:1",
        "deliverySemantic": {"type": "exactly-once", "transactionTimeout": "3 s"},
    }
)


class Narrow:
    """A sender over which no more than three epochs get through in one transaction, for the first five attempts."""

    attempts: list[int]

    def __init__(self, *_: object) -> None:
        """Whatever the settings."""

    def send(self, batches: Sequence[OutboxBatch]) -> Sent:
        self.attempts.append(len(batches))
        if len(batches) > 3 and len(self.attempts) <= 5:
            raise KafkaException(KafkaError(TIMED_OUT, "cut off"))
        return Sent(len(batches))

    def poll(self) -> None:
        """Nothing to tell."""

    def is_connected(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing to close."""


async def test_epochs_that_do_not_get_through_together_are_sent_in_parts_that_grow_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Narrow.attempts = []
    monkeypatch.setattr(kafka, "TransactionalSender", Narrow)
    monkeypatch.setattr(kafka, "_RETRY_SECONDS", 0)
    outbox = MemoryOutbox()
    egress = KafkaEgress(SPEC, AdapterContext(RecordCounts()))
    await egress.start(outbox, None)
    for _ in range(20):
        egress.write(outbox.add(b"record"))
    await outbox.until_released(20)
    await egress.stop()
    assert Narrow.attempts == [20, 10, 5, 2, 4, 2, 4, 8, 4]
