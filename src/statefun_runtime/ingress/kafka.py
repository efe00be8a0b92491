"""The Kafka ingress: each record becomes one message to each target of its topic, exactly once.

Partitions are assigned, never subscribed: the offsets are part of the runtime's epochs and rule after a restart. They
are committed to Kafka too, once durable, so that tools can show the lag.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from confluent_kafka import KafkaException, Message

from statefun_runtime.errors import IngressError
from statefun_runtime.ingress.kafka_reader import KafkaReader, Partition, by_partition
from statefun_runtime.ingress.kafka_records import InvalidKafkaRecordError, KafkaRecords
from statefun_runtime.interfaces import AdapterContext, Arrival, Inlet
from statefun_runtime.kafka.client import client_settings
from statefun_runtime.kafka.errors import INVALID_ARGUMENT
from statefun_runtime.kafka.properties import PropertyError, Role
from statefun_runtime.module.ingress_spec import KafkaIngressSpec
from statefun_runtime.module.spec import merge_properties

_RETRY_SECONDS = 1.0
_REPORT_SECONDS = 1.0

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class KafkaIngress:
    """Reads all partitions of its topics. While Kafka is away it waits; the rest of the application goes on.

    Positions: partition `<topic>/<number>` -> the offset of the next record, in decimal.
    """

    def __init__(self, spec: KafkaIngressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._records = KafkaRecords(spec.topics, spec.invalid_record_handling)
        self._targets = {target for topic in spec.topics for target in topic.targets}
        self._group = spec.group or f"{context.application_id}-{spec.id}"
        try:
            self._settings = client_settings(
                f"ingress {spec.id}", spec.address, merge_properties(spec.properties), Role.CONSUMER
            )
        except PropertyError as error:
            raise IngressError(f"ingress {spec.id}: {error}") from error
        self._thread = ThreadPoolExecutor(1, f"ingress {spec.id}")
        self._reader: KafkaReader | None = None
        self._epoch = 0
        self._durable: dict[Partition, int] = {}

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        """Take the positions. A Kafka that is away is no error."""
        self._inlet = inlet
        self._positions = {_partition(name): int(position) for name, position in positions.items()}
        if self._spec.forward_headers:
            _log.warning("ingress %s: forwardHeaders has no effect in this runtime", self._spec.id)

    async def run(self) -> None:
        reporting = asyncio.create_task(self._follow_durable(), name=f"ingress {self._spec.id}: offsets")
        try:
            while True:
                await self._read_until_trouble()
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)

    async def stop(self) -> None:
        if self._reader is not None:
            await self._blocking(self._reader.close)
        self._thread.shutdown(wait=True)

    async def _read_until_trouble(self) -> None:
        try:
            reader = self._reader = await self._blocking(lambda: KafkaReader(self._spec, self._settings, self._group))
            while True:
                await self._step(reader)
        except KafkaException as error:
            text = error.args[0].str()
            if error.args[0].code() == INVALID_ARGUMENT:
                raise IngressError(f"ingress {self._spec.id}: {text}") from error
            _log.warning("ingress %s: Kafka cannot be read: %s; trying again", self._spec.id, text)
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await self._blocking(reader.close)

    async def _step(self, reader: KafkaReader) -> None:
        await self._inlet.room(self._targets)
        found = await self._blocking(lambda: reader.find(self._positions))
        for partition, offset in found.items():
            self._accept([], partition, offset)
        for partition, messages in by_partition(await self._blocking(reader.read)).items():
            last = messages[-1].offset()
            if last is not None:
                self._accept(self._arrivals(messages), partition, last + 1)
        if self._durable and self._spec.group is not None:
            offsets, self._durable = self._durable, {}
            await self._blocking(lambda: reader.commit(offsets))

    def _accept(self, arrivals: Sequence[Arrival], partition: Partition, offset: int) -> None:
        self._epoch = self._inlet.accept(arrivals, f"{partition[0]}/{partition[1]}", str(offset).encode())
        self._positions[partition] = offset

    def _arrivals(self, messages: Sequence[Message]) -> list[Arrival]:
        arrivals: list[Arrival] = []
        for message in messages:
            topic, key, value = message.topic() or "", message.key(), message.value()
            try:
                arrivals += self._records.arrivals(topic, key, value)
                self._counts.records += 1
            except InvalidKafkaRecordError as error:
                self._reject(message, topic, error)
        return arrivals

    def _reject(self, message: Message, topic: str, error: InvalidKafkaRecordError) -> None:
        where = (
            f"ingress {self._spec.id}: {topic}/{message.partition()}: the record at offset {message.offset()} {error}"
        )
        if not self._records.skips_invalid(topic):
            raise IngressError(f"{where}. Set invalidRecordHandling to skip such records") from error
        self._counts.rejected += 1
        _log.warning("%s; skipped", where)

    async def _follow_durable(self) -> None:
        """Hand the offsets of durable epochs to the reader, at most once a second."""
        reported: dict[Partition, int] = {}
        while True:
            offsets, epoch = dict(self._positions), self._epoch
            await self._inlet.durable(epoch)
            self._durable |= {partition: at for partition, at in offsets.items() if reported.get(partition) != at}
            reported = offsets
            await asyncio.sleep(_REPORT_SECONDS)

    async def _blocking(self, step: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)


def _partition(name: str) -> Partition:
    topic, _, number = name.rpartition("/")
    return topic, int(number)
