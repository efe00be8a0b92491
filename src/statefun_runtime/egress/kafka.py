"""The Kafka egress: `none`, `at-least-once` and `exactly-once`.

Exactly-once: the outbox is durable before anything is sent; then one transaction carries the records of all epochs
that wait and a marker with the last of them. After a crash the marker says what went out; the rest is sent again.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias, TypeVar

from confluent_kafka import KafkaError, KafkaException

from statefun_runtime.egress.kafka_marker import Claim, MarkerError, transactional_id
from statefun_runtime.egress.kafka_sender import PlainSender, Rejections
from statefun_runtime.egress.kafka_transactions import TransactionalSender
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Outlet
from statefun_runtime.kafka.client import client_settings
from statefun_runtime.kafka.errors import INVALID_ARGUMENT
from statefun_runtime.kafka.properties import PropertyError, Role
from statefun_runtime.module.egress_spec import AtLeastOnce, ExactlyOnce, KafkaEgressSpec
from statefun_runtime.module.spec import merge_properties

_RETRY_SECONDS = 1.0
_KNOWN = b'{"marker": true}'
"""The position of an exactly-once egress whose marker was written: from then on it must be there."""

_T = TypeVar("_T")
_Sender: TypeAlias = PlainSender | TransactionalSender

_log = logging.getLogger(__name__)


class KafkaEgress:
    """Produces `KafkaProducerRecord`s. While Kafka is away they wait in the outbox.

    A record that is none, or that Kafka refuses for good (too large), is rejected: logged with its reason and counted.
    """

    def __init__(self, spec: KafkaEgressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._rejections = Rejections(spec.id, context.counts)
        self._transaction_id = transactional_id(context.application_id, spec.id)
        try:
            self._settings = client_settings(
                f"egress {spec.id}", spec.address, merge_properties(spec.properties), Role.PRODUCER
            )
        except PropertyError as error:
            raise EgressError(f"egress {spec.id}: {error}") from error
        self._thread = ThreadPoolExecutor(1, f"egress {spec.id}")
        self._waiting: list[OutboxBatch] = []
        self._arrived = asyncio.Event()
        self._stopping = asyncio.Event()
        self._sender: _Sender | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, outlet: Outlet, position: bytes | None) -> None:
        """Begin to connect; a Kafka that is away is no error."""
        self._outlet = outlet
        self._claim = Claim(known=position is not None)
        self._to_announce = position is None or outlet.restored
        self._serving = asyncio.create_task(self._serve(), name=f"egress {self._spec.id}")

    def write(self, batch: OutboxBatch) -> None:
        self._waiting.append(batch)
        self._arrived.set()

    async def run(self) -> None:
        """Wait until the egress cannot go on, and raise the EgressError that says why."""
        if self._serving is not None:
            await asyncio.shield(self._serving)

    async def stop(self) -> None:
        """Send what waits if Kafka takes it now; the rest stays in the outbox."""
        self._stopping.set()
        self._arrived.set()
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)
        self._thread.shutdown(wait=True)

    async def _serve(self) -> None:
        try:
            while self._waiting or not self._stopping.is_set():
                if not await self._step() and not await self._pause():
                    return
        except EgressError as error:
            _log.critical("%s", error)
            raise
        finally:
            await self._drop_sender()

    async def _step(self) -> bool:
        """Connect, or send what waits. Returns whether it went well; if not, try again later."""
        try:
            sender = self._sender or await self._connect()
            if not self._waiting:
                await self._arrived.wait()
                self._arrived.clear()
            elif self._spec.delivery_semantic.type == "none":
                await self._send_once(sender)
            else:
                await self._send(sender)
        except KafkaException as error:
            self._check_hopeless(error.args[0])
            _log.warning("egress %s: Kafka does not take records: %s; trying again", self._spec.id, error.args[0].str())
            await self._drop_sender()
            return False
        except (EgressError, MarkerError) as error:
            raise EgressError(f"egress {self._spec.id}: {error}") from error
        return True

    async def _connect(self) -> _Sender:
        semantic = self._spec.delivery_semantic
        if isinstance(semantic, ExactlyOnce):
            sender: _Sender = await self._blocking(
                lambda: TransactionalSender(
                    self._settings, self._transaction_id, semantic.timeout, self._rejections, self._claim
                )
            )
            if self._to_announce:
                self._outlet.released(0, _KNOWN)
                self._to_announce = False
        else:
            safe = {"enable.idempotence": True} if isinstance(semantic, AtLeastOnce) else {}
            sender = await self._blocking(lambda: PlainSender({**self._settings, **safe}, self._rejections))
        self._sender = sender
        return sender

    async def _send(self, sender: _Sender) -> None:
        batches = list(self._waiting)
        sent = await self._blocking(lambda: sender.send(batches))
        self._done(batches, sent)

    async def _send_once(self, sender: _Sender) -> None:
        batches = list(self._waiting)
        try:
            sent = await self._blocking(lambda: sender.send(batches))
        except KafkaException as error:
            _log.error("egress %s: records may be lost: %s", self._spec.id, error.args[0].str())
            await self._drop_sender()
            sent = 0
        self._done(batches, sent)

    def _done(self, batches: list[OutboxBatch], sent: int) -> None:
        self._counts.records += sent
        self._rejections.forget(batches)
        del self._waiting[: len(batches)]
        position = _KNOWN if isinstance(self._spec.delivery_semantic, ExactlyOnce) else None
        self._outlet.released(batches[-1].epoch, position)

    async def _pause(self) -> bool:
        """Wait before the next attempt. Returns False if the runtime stops meanwhile."""
        try:
            async with asyncio.timeout(_RETRY_SECONDS):
                await self._stopping.wait()
        except TimeoutError:
            return True
        return False

    async def _drop_sender(self) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            await self._blocking(sender.close)

    def _check_hopeless(self, error: KafkaError) -> None:
        if error.code() == INVALID_ARGUMENT:
            raise EgressError(f"egress {self._spec.id}: {error.str()}")

    async def _blocking(self, step: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, step)
