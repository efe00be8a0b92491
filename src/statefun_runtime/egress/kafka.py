"""The Kafka egress: `none`, `at-least-once` and `exactly-once`.

Exactly-once: the outbox is durable before anything is sent; then one transaction carries the records of all epochs
that wait and a marker with the last of them. After a crash the marker says what went out; the rest is sent again.
"""

import asyncio
import logging
from typing import TypeAlias

from confluent_kafka import KafkaError, KafkaException

from statefun_runtime.egress.kafka_marker import Claim, MarkerError, transactional_id
from statefun_runtime.egress.kafka_runs import Runs
from statefun_runtime.egress.kafka_sender import PlainSender, Sent
from statefun_runtime.egress.kafka_transactions import TransactionalSender
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Outlet
from statefun_runtime.kafka.client import client_settings
from statefun_runtime.kafka.errors import INVALID_ARGUMENT
from statefun_runtime.kafka.properties import Role
from statefun_runtime.kafka.reasons import BROKERS, plain, tell
from statefun_runtime.kafka.thread import KafkaThread
from statefun_runtime.module.egress_spec import AtLeastOnce, ExactlyOnce, KafkaEgressSpec
from statefun_runtime.module.spec import merge_properties

_RETRY_SECONDS = 1.0
_WATCH_SECONDS = 1.0
"""How often the brokers are looked after while there is nothing to send."""

_ALL = 1 << 20
"""More epochs than ever wait."""

_Sender: TypeAlias = PlainSender | TransactionalSender

_log = logging.getLogger(__name__)


class KafkaEgress:
    """Produces `KafkaProducerRecord`s. While Kafka is away they wait in the outbox.

    A record that is none, or that Kafka refuses for good (it is too large, its topic is missing or must not be written
    to), becomes a dead letter before what else is sent counts as out.
    """

    def __init__(self, spec: KafkaEgressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._is_exactly_once = isinstance(spec.delivery_semantic, ExactlyOnce)
        self._lineage, self._epoch = context.lineage, context.epoch
        self._transaction_id = transactional_id(context.application_id, spec.id)
        self._connection = context.counts.connection
        self._settings = client_settings(
            f"egress {spec.id}", spec.address, merge_properties(spec.properties), Role.PRODUCER, self._connection
        )
        self._thread = KafkaThread(f"egress {spec.id}")
        self._waiting: list[OutboxBatch] = []
        self._most = _ALL
        """How many epochs are sent at once."""
        self._arrived = asyncio.Event()
        self._stopping = asyncio.Event()
        self._sender: _Sender | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self, outlet: Outlet, position: bytes | None) -> None:
        """Begin to connect; a Kafka that is away is no error."""
        self._outlet = outlet
        self._claim = Claim(Runs.decode(position))
        self._claim.runs = self._claim.runs.begin(self._claim.writer, self._lineage, self._epoch)
        if self._is_exactly_once:
            # With the next commit, which is that of the first epoch of this run.
            self._outlet.released(0, self._claim.runs.encode())
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
        self._thread.end()

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
                await self._watch(sender)
            elif self._spec.delivery_semantic.type == "none":
                await self._send_once(sender)
            else:
                await self._send(sender)
        except KafkaException as error:
            self._check_hopeless(error.args[0])
            if tell(self._connection, BROKERS, error.args[0]):
                _log.warning("egress %s: %s; trying again", self._spec.id, plain(error.args[0]))
            await self._drop_sender()
            return False
        except (EgressError, MarkerError) as error:
            raise EgressError(f"egress {self._spec.id}: {error}") from error
        return True

    async def _watch(self, sender: _Sender) -> None:
        """Wait for something to send, and look after the brokers meanwhile."""
        connection = self._connection
        while not self._arrived.is_set():
            try:
                async with asyncio.timeout(_WATCH_SECONDS):
                    await self._arrived.wait()
            except TimeoutError:
                await self._thread.run(sender.poll)
                if connection.state != "connected" and await self._thread.run(sender.is_connected):
                    self._note_success()
        self._arrived.clear()

    def _note_success(self) -> None:
        if self._connection.works(BROKERS):
            _log.info("egress %s: Kafka takes records again", self._spec.id)

    async def _connect(self) -> _Sender:
        semantic = self._spec.delivery_semantic
        if isinstance(semantic, ExactlyOnce):
            sender: _Sender = await self._thread.run(
                lambda: TransactionalSender(self._settings, self._transaction_id, semantic.timeout, self._claim)
            )
            self._note_success()
            if not self._claim.runs.has_marker:
                self._claim.runs = self._claim.runs._replace(has_marker=True)
                self._outlet.released(0, self._claim.runs.encode())
        else:
            safe = {"enable.idempotence": True} if isinstance(semantic, AtLeastOnce) else {}
            sender = await self._thread.run(lambda: PlainSender({**self._settings, **safe}))
        self._sender = sender
        return sender

    async def _send(self, sender: _Sender) -> None:
        batches = self._waiting[: self._most]
        try:
            sent = await self._thread.run(lambda: sender.send(batches))
        except KafkaException:
            # What does not get through as a whole before the broker ends the transaction may in parts.
            self._most = max(1, len(batches) // 2)
            raise
        self._most = min(2 * self._most, _ALL)
        await self._note(batches, sent)

    async def _send_once(self, sender: _Sender) -> None:
        batches = list(self._waiting)
        try:
            sent = await self._thread.run(lambda: sender.send(batches))
        except KafkaException as error:
            tell(self._connection, BROKERS, error.args[0])
            _log.error("egress %s: records may be lost: %s", self._spec.id, plain(error.args[0]))
            await self._drop_sender()
            sent = Sent()
        await self._note(batches, sent)

    async def _note(self, batches: list[OutboxBatch], sent: Sent) -> None:
        """Have rejected records made dead letters, then report what is out."""
        for at, batch in enumerate(batches):
            rejected = sent.rejected_of(batch)
            if rejected:
                self._waiting[at] = await self._outlet.reject(batch, rejected)
                self._counts.rejected += len(rejected)
        if not sent.is_out:
            return
        self._counts.records += sent.records
        if sent.records:
            self._note_success()
        del self._waiting[: len(batches)]
        self._claim.runs = self._claim.runs.since(batches[-1])
        self._outlet.released(batches[-1].epoch, self._claim.runs.encode() if self._is_exactly_once else None)

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
            await self._thread.run(sender.close)

    def _check_hopeless(self, error: KafkaError) -> None:
        if error.code() == INVALID_ARGUMENT:
            raise EgressError(f"egress {self._spec.id}: {error.str()}")
