"""Kinesis's ingress and egress keep the contract of all ingresses and egresses, against a server."""

import asyncio

import pytest

from statefun import kinesis_egress_message
from statefun_runtime.egress.kinesis import KinesisEgress
from statefun_runtime.ingress.kinesis import KinesisIngress
from statefun_runtime.interfaces import AdapterContext, Payload
from statefun_runtime.module.egress_spec import KinesisEgressSpec
from statefun_runtime.module.ingress_spec import KinesisIngressSpec
from statefun_runtime.testing import EGRESS_CHECKS, INGRESS_CHECKS, EgressCheck, IngressCheck
from tests.kinesis.server import Kinesis, access

pytestmark = [pytest.mark.slow, pytest.mark.contract]

PATIENCE = 30.0


class Source:
    """One shard, so that all messages have an order."""

    keeps = True
    patience = PATIENCE

    def __init__(self, kinesis: Kinesis, stream: str) -> None:
        self._kinesis, self._stream = kinesis, stream
        kinesis.create(stream)

    def ingress(self, context: AdapterContext) -> KinesisIngress:
        streams = [{"stream": self._stream, "valueType": "test/text", "targets": ["test/a"]}]
        spec = {"id": "test/in", "streams": streams, "startupPosition": {"type": "earliest"}}
        return KinesisIngress(KinesisIngressSpec.model_validate(spec | access(self._kinesis.url)), context)

    async def put(self, target_id: str) -> None:
        await asyncio.to_thread(self._kinesis.put, self._stream, [(target_id, b"x")])


class Sink:
    """One partition key, so that all records have an order."""

    exactly_once = False
    patience = PATIENCE

    def __init__(self, kinesis: Kinesis, stream: str) -> None:
        self._kinesis, self._stream = kinesis, stream
        kinesis.create(stream)

    def egress(self, context: AdapterContext) -> KinesisEgress:
        spec = {"id": "test/out", **access(self._kinesis.url)}
        return KinesisEgress(KinesisEgressSpec.model_validate(spec), context)

    def record(self, value: str) -> Payload:
        return kinesis_egress_message("test/out", self._stream, value, "k").payload()

    async def read(self) -> list[str]:
        return [value for _, value in await asyncio.to_thread(self._kinesis.records, self._stream)]


@pytest.mark.parametrize("check", INGRESS_CHECKS)
async def test_the_ingress_keeps_the_contract(check: IngressCheck, kinesis: Kinesis) -> None:
    await check(Source(kinesis, f"in-{check.__name__}"))


@pytest.mark.parametrize("check", EGRESS_CHECKS)
async def test_the_egress_keeps_the_contract(check: EgressCheck, kinesis: Kinesis) -> None:
    await check(Sink(kinesis, f"out-{check.__name__}"))
