"""The Kafka ingress: each record becomes one message to each target of its topic, exactly once.

Partitions are assigned, never subscribed: the offsets are part of the runtime's epochs and rule after a restart. They
are committed to Kafka too, once durable, so that tools can show the lag.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from confluent_kafka import KafkaException, Message

from statefun_runtime.errors import IngressError
from statefun_runtime.ingress.kafka_reader import KafkaReader, Partition
from statefun_runtime.ingress.kafka_records import InvalidKafkaRecordError, topic_records
from statefun_runtime.interfaces import AdapterContext, Arrival, Inlet, Rejected
from statefun_runtime.kafka.client import client_settings
from statefun_runtime.kafka.errors import INVALID_ARGUMENT
from statefun_runtime.kafka.properties import Role
from statefun_runtime.kafka.reasons import BROKERS, plain, tell
from statefun_runtime.kafka.thread import KafkaThread
from statefun_runtime.module.ingress_spec import KafkaIngressSpec
from statefun_runtime.module.spec import merge_properties

_RETRY_SECONDS = 1.0
_REPORT_SECONDS = 1.0
_LAG_SECONDS = 1.0

_log = logging.getLogger(__name__)


class KafkaIngress:
    """Reads all partitions of its topics. While Kafka is away it waits; the rest of the application goes on.

    Positions: partition `<topic>/<number>` -> the offset of the next record, in decimal.
    """

    def __init__(self, spec: KafkaIngressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._topics = topic_records(spec)
        self._targets = {target for topic in spec.topics for target in topic.targets}
        self._group = spec.group or f"{context.application_id}-{spec.id}"
        self._connection = context.counts.connection
        self._settings = client_settings(
            f"ingress {spec.id}", spec.address, merge_properties(spec.properties), Role.CONSUMER, self._connection
        )
        self._thread = KafkaThread(f"ingress {spec.id}")
        self._reader: KafkaReader | None = None
        self._epoch = 0
        self._durable: dict[Partition, int] = {}

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        """Take the positions. A Kafka that is away is no error."""
        self._inlet = inlet
        self._positions = {_partition(name): int(position) for name, position in positions.items()}

    async def run(self) -> None:
        beside = [
            asyncio.create_task(self._follow_durable(), name=f"ingress {self._spec.id}: offsets"),
            asyncio.create_task(self._measure_lag(), name=f"ingress {self._spec.id}: lag"),
        ]
        try:
            while True:
                await self._read_until_trouble()
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def stop(self) -> None:
        if self._reader is not None:
            await self._thread.run(self._reader.close)
        self._thread.end()

    async def _read_until_trouble(self) -> None:
        try:
            reader = self._reader = await self._thread.run(
                lambda: KafkaReader(self._spec, self._settings, self._group, self._connection)
            )
            while True:
                await self._step(reader)
        except KafkaException as error:
            text = error.args[0].str()
            if error.args[0].code() == INVALID_ARGUMENT:
                raise IngressError(f"ingress {self._spec.id}: {text}") from error
            if tell(self._connection, BROKERS, error.args[0]):
                _log.warning("ingress %s: %s; trying again", self._spec.id, plain(error.args[0]))
        if self._reader is not None:
            reader, self._reader = self._reader, None
            await self._thread.run(reader.close)

    async def _step(self, reader: KafkaReader) -> None:
        await self._inlet.room(self._targets)
        if reader.is_time_to_find():
            found = await self._thread.run(lambda: reader.find(self._positions))
            for partition, offset in found.items():
                self._accept((), partition, offset)
        for partition, messages in (await self._thread.run(reader.read)).items():
            self._accept(messages, partition, (messages[-1].offset() or 0) + 1)
        if self._durable and self._spec.group is not None:
            offsets, self._durable = self._durable, {}
            await self._thread.run(lambda: reader.commit(offsets))

    def _accept(self, messages: Sequence[Message], partition: Partition, offset: int) -> None:
        arrivals: list[Arrival] = []
        rejected: list[Rejected] = []
        invalid = 0
        topic, number = partition
        records = self._topics[topic]
        for message in messages:
            try:
                arrivals += records.arrivals(message.key(), message.value(), message.headers())
            except InvalidKafkaRecordError as error:
                invalid += 1
                rejected += self._reject(f"{topic}/{number}@{message.offset()}", topic, message, error)
        self._counts.records += len(messages) - invalid
        self._counts.rejected += invalid
        self._epoch = self._inlet.accept(arrivals, f"{topic}/{number}", str(offset).encode(), rejected)
        self._positions[partition] = offset

    def _reject(self, where: str, topic: str, message: Message, error: InvalidKafkaRecordError) -> Iterator[Rejected]:
        """Yield the record if it is to become a dead letter. Raises IngressError if it ends the ingress."""
        records = self._topics[topic]
        if records.handling == "fail":
            raise IngressError(
                f"ingress {self._spec.id}: the record {where} {error}. Set invalidRecordHandling to dead-letter or "
                "skip to go on past such records"
            ) from error
        if records.handling == "skip":
            _log.warning("ingress %s: skipped the record %s, which %s", self._spec.id, where, error)
        else:
            kept = records.kept(message.key(), message.value(), message.headers())
            yield Rejected(where, kept, f"the record {where} {error}")

    async def _measure_lag(self) -> None:
        """Have the lag measured, also while the runtime wants no more."""

        def measure(reader: KafkaReader) -> None:
            # It may have been closed since.
            if self._reader is reader:
                reader.measure_lag()

        while True:
            await asyncio.sleep(_LAG_SECONDS)
            if self._reader is not None:
                await self._thread.run(partial(measure, self._reader))

    async def _follow_durable(self) -> None:
        """Hand the offsets of durable epochs to the reader, at most once a second."""
        reported: dict[Partition, int] = {}
        while True:
            offsets, epoch = dict(self._positions), self._epoch
            await self._inlet.durable(epoch)
            self._durable |= {partition: at for partition, at in offsets.items() if reported.get(partition) != at}
            reported = offsets
            await asyncio.sleep(_REPORT_SECONDS)


def _partition(name: str) -> Partition:
    topic, _, number = name.rpartition("/")
    return topic, int(number)
