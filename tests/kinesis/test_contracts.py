"""Kinesis's ingress keeps the contract of all ingresses, against a server."""

import asyncio

import pytest

from statefun_runtime.ingress.kinesis import KinesisIngress
from statefun_runtime.interfaces import AdapterContext
from statefun_runtime.module.ingress_spec import KinesisIngressSpec
from statefun_runtime.testing import INGRESS_CHECKS, IngressCheck
from tests.kinesis.server import Kinesis, access

pytestmark = [pytest.mark.slow]

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


@pytest.mark.parametrize("check", INGRESS_CHECKS)
async def test_the_ingress_keeps_the_contract(check: IngressCheck, kinesis: Kinesis) -> None:
    await check(Source(kinesis, f"in-{check.__name__}"))
