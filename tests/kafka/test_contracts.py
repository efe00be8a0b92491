"""Kafka's ingress and egress keep the contract of all ingresses and egresses, against a real broker."""

import asyncio

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from statefun import kafka_egress_message
from statefun_runtime.egress.kafka import KafkaEgress
from statefun_runtime.ingress.kafka import KafkaIngress
from statefun_runtime.interfaces import AdapterContext, Payload
from statefun_runtime.module.egress_spec import KafkaEgressSpec
from statefun_runtime.module.ingress_spec import KafkaIngressSpec
from statefun_runtime.testing import EGRESS_CHECKS, INGRESS_CHECKS, EgressCheck, IngressCheck
from tests.kafka.broker import Broker
from tests.kafka.topics import Writer, create

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.contract, pytest.mark.timeout(120)]

PATIENCE = 40.0


class Source:
    """One partition, so that all messages have an order."""

    keeps = True
    patience = PATIENCE

    def __init__(self, address: str, topic: str) -> None:
        self._address, self._topic = address, topic
        create(address, topic)
        self._writer = Writer(address)

    def ingress(self, context: AdapterContext) -> KafkaIngress:
        topics = [{"topic": self._topic, "valueType": "test/text", "targets": ["test/a"]}]
        spec = {"id": "test/in", "address": self._address, "topics": topics, "startupPosition": {"type": "earliest"}}
        return KafkaIngress(KafkaIngressSpec.model_validate(spec), context)

    async def put(self, target_id: str) -> None:
        await asyncio.to_thread(self._writer.write, self._topic, [(target_id.encode(), b"x")])


class Sink:
    patience = PATIENCE

    def __init__(self, address: str, topic: str, semantic: dict[str, str]) -> None:
        self._address, self._topic, self._semantic = address, topic, semantic
        self.exactly_once = semantic["type"] == "exactly-once"
        create(address, topic)
        self._consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": "tests",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "log_level": 0,
            }
        )

    def egress(self, context: AdapterContext) -> KafkaEgress:
        spec = {"id": f"test/{self._topic}", "address": self._address, "deliverySemantic": self._semantic}
        return KafkaEgress(KafkaEgressSpec.model_validate(spec), context)

    def record(self, value: str) -> Payload:
        return kafka_egress_message("test/out", topic=self._topic, value=value, key="k").payload()

    async def read(self) -> list[str]:
        return await asyncio.to_thread(self._read)

    def _read(self) -> list[str]:
        """All committed records from the beginning to the end."""
        self._consumer.assign([TopicPartition(self._topic, 0, 0)])
        values: list[str] = []
        while True:
            message = self._consumer.poll(PATIENCE)
            assert message is not None, "the topic could not be read"
            error = message.error()
            if error is None:
                values.append((message.value() or b"").decode())
            elif error.code() == KafkaError._PARTITION_EOF:
                return values


@pytest.mark.parametrize("check", INGRESS_CHECKS)
async def test_the_ingress_keeps_the_contract(check: IngressCheck, broker: Broker) -> None:
    await check(Source(broker.address, f"in-{check.__name__}"))


@pytest.mark.parametrize("check", EGRESS_CHECKS)
@pytest.mark.parametrize(
    "semantic",
    [{"type": "at-least-once"}, {"type": "exactly-once", "transactionTimeout": "30s"}],
    ids=lambda s: s["type"],
)
async def test_the_egress_keeps_the_contract(check: EgressCheck, semantic: dict[str, str], broker: Broker) -> None:
    await check(Sink(broker.address, f"{semantic['type']}-{check.__name__}", semantic))
