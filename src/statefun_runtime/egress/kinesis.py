"""The Kinesis egress: at least once, in order for each partition key.

Kinesis knows no transactions and no repeats. So what is not known to have gone out is put again after a crash: the
records of the epochs that wait in the outbox. Of each partition key at most one record is unconfirmed at a time.
"""

import asyncio
import logging

from statefun_runtime.egress.kinesis_progress import Progress
from statefun_runtime.egress.kinesis_stream import KinesisStreamWriter
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Outlet
from statefun_runtime.kinesis.client import KinesisClient
from statefun_runtime.kinesis.errors import KinesisError
from statefun_runtime.kinesis.properties import PropertyError, Role, translate
from statefun_runtime.module.egress_spec import KinesisEgressSpec
from statefun_runtime.module.spec import merge_properties

_log = logging.getLogger(__name__)


class KinesisEgress:
    """Puts `KinesisEgressRecord`s. While Kinesis is away or throttles they wait in the outbox.

    A record that is none, or that Kinesis refuses for good (it is too large, its stream is missing or must not be
    written to), becomes a dead letter before its epoch counts as out.
    """

    def __init__(self, spec: KinesisEgressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        try:
            settings = translate(merge_properties(spec.client_config_properties), Role.EGRESS)
        except PropertyError as error:
            raise EgressError(f"egress {spec.id}: {error}") from error
        self._client = KinesisClient(f"egress {spec.id}", spec.aws_region, spec.aws_credentials, settings)
        self._progress = Progress(context.counts)
        self._writers: dict[str, KinesisStreamWriter] = {}
        self._running = 0
        """Writers that can put something, now or later."""
        self._stopping = False
        self._serving: asyncio.Task[None] | None = None

    async def start(self, outlet: Outlet, position: bytes | None) -> None:  # noqa: ARG002  # Kinesis has none
        """Find region and credentials. A Kinesis that is away is no error."""
        self._outlet = outlet
        try:
            await self._client.open()
        except KinesisError as error:
            raise EgressError(f"egress {self._spec.id}: {error}. Check awsRegion and awsCredentials") from error
        self._serving = asyncio.create_task(self._serve(), name=f"egress {self._spec.id}")

    def write(self, batch: OutboxBatch) -> None:
        self._progress.add(batch)

    async def run(self) -> None:
        """Wait until the egress cannot go on, and raise the EgressError that says why."""
        if self._serving is not None:
            await asyncio.shield(self._serving)

    async def stop(self) -> None:
        """Put what Kinesis takes at once; the rest stays in the outbox."""
        self._stopping = True
        self._progress.changed.set()
        for writer in self._writers.values():
            writer.stop()
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)
        await self._client.close()

    async def _serve(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._hand_out(tasks)
        except ExceptionGroup as errors:
            # The first one ended all the others.
            error = errors.exceptions[0]
            if isinstance(error, EgressError):
                _log.critical("%s", error)
            raise error from errors

    async def _hand_out(self, tasks: asyncio.TaskGroup) -> None:
        """Take up records as there is room for them, and report epochs, until the stop."""
        while True:
            await self._progress.changed.wait()
            self._progress.changed.clear()
            for stream, item in self._progress.take_up(self._spec.max_outstanding_records):
                if stream not in self._writers:
                    self._writers[stream] = self._writer(stream)
                    tasks.create_task(self._write(stream), name=f"egress {self._spec.id}: {stream}")
                self._writers[stream].add(item)
            await self._report()
            if self._stopping and not self._running and not self._progress.changed.is_set():
                return

    def _writer(self, stream: str) -> KinesisStreamWriter:
        writer = KinesisStreamWriter(stream, self._client, self._progress)
        self._running += 1
        if self._stopping:
            writer.stop()
        return writer

    async def _write(self, stream: str) -> None:
        writer = self._writers[stream]
        await writer.run()
        self._running -= 1
        # One that was stopped before stays: a new one would put records of its keys before those that it still has.
        if writer.is_done:
            del self._writers[stream]
        self._progress.changed.set()

    async def _report(self) -> None:
        """Have refused records made dead letters, then say what is out."""
        settled = self._progress.settled()
        for pending in settled:
            if pending.refused:
                await self._outlet.reject(pending.batch, pending.refused)
                self._counts.rejected += len(pending.refused)
        if settled:
            self._outlet.released(settled[-1].batch.epoch)
