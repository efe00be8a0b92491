"""The Kinesis ingress: each record becomes one message to each target of its stream, exactly once.

How far each shard was read is part of the runtime's epochs and rules after a restart. A shard is read only when those
that it was split or merged from were read to their ends, so that the records of a partition key keep their order.
"""

import asyncio
from collections.abc import Mapping

from statefun_runtime.errors import IngressError
from statefun_runtime.ingress.kinesis_position import decode_positions
from statefun_runtime.ingress.kinesis_stream import KinesisStreamReader
from statefun_runtime.interfaces import AdapterContext, Inlet
from statefun_runtime.kinesis.client import KinesisClient
from statefun_runtime.kinesis.errors import KinesisError
from statefun_runtime.kinesis.properties import PropertyError, Role, translate
from statefun_runtime.module.ingress_spec import KinesisIngressSpec
from statefun_runtime.module.spec import merge_properties


class KinesisIngress:
    """Reads all shards of its streams. While Kinesis is away it waits; the rest of the application goes on.

    Positions: see `kinesis_position`.
    """

    def __init__(self, spec: KinesisIngressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        try:
            settings = translate(merge_properties(spec.client_config_properties), Role.INGRESS)
        except PropertyError as error:
            raise IngressError(f"ingress {spec.id}: {error}") from error
        self._client = KinesisClient(f"ingress {spec.id}", spec.aws_region, spec.aws_credentials, settings)
        self._readers: list[KinesisStreamReader] = []

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        """Find region and credentials. A Kinesis that is away is no error."""
        try:
            await self._client.open()
        except KinesisError as error:
            raise IngressError(f"ingress {self._spec.id}: {error}. Check awsRegion and awsCredentials") from error
        self._readers = [
            KinesisStreamReader(stream, self._client, inlet, decode_positions(stream.stream, positions), self._counts)
            for stream in self._spec.streams
        ]

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for reader in self._readers:
                    tasks.create_task(reader.run(self._spec.startup_position, tasks))
        except ExceptionGroup as errors:
            # The first one ended all the others.
            raise errors.exceptions[0] from errors

    async def stop(self) -> None:
        await self._client.close()
