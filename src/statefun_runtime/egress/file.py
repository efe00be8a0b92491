"""The file egress: each record is a line of one file, exactly once.

The length of the file after epoch N is kept by the commit that removes N from the outbox. After a crash the file is
cut to the last length that was kept, and what is still in the outbox is written again, byte for byte.
"""

from collections.abc import Sequence
from pathlib import Path

from statefun_runtime.egress.append_file import AppendFile
from statefun_runtime.egress.batch_writer import BatchWriter, on_thread
from statefun_runtime.egress.lines import to_line
from statefun_runtime.file_position import FilePosition
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Outlet
from statefun_runtime.module.egress_spec import FileEgressSpec


class FileEgress:
    """Appends to a file that belongs to it alone.

    Without a position the file must be new or empty; its length of 0 is reported as the position after epoch 0, so that
    a crash before the first release finds the file known. A file that has grown since a savepoint is never cut unasked:
    whoever went on from there may still write it. All waiting batches share one sync, which runs on a thread.
    After a write that failed, what reached the disk is unknown until the next start has cut the file.
    """

    def __init__(self, spec: FileEgressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._name = f"egress {spec.id}: {spec.path}"
        self._writer: BatchWriter | None = None

    async def start(self, outlet: Outlet, position: bytes | None) -> None:
        file = await on_thread(self._name, lambda: _open(self._spec.path, position, exact=outlet.restored))
        if position is None or outlet.restored:
            outlet.released(0, file.end.encode())
        self._writer = BatchWriter(
            f"egress {self._spec.id}", lambda batches: self._write_all(file, outlet, batches), file.close
        )

    async def run(self) -> None:
        """Wait until the egress cannot go on, and raise the EgressError that says why."""
        if self._writer is not None:
            await self._writer.wait()

    def write(self, batch: OutboxBatch) -> None:
        """Take a batch. Raises EgressError if an earlier one could not be written."""
        if self._writer is not None:
            self._writer.add(batch)

    async def stop(self) -> None:
        """Write what waits, close the file. What could not be written stays in the outbox and comes again."""
        if self._writer is not None:
            await self._writer.stop()

    async def _write_all(self, file: AppendFile, outlet: Outlet, batches: Sequence[OutboxBatch]) -> None:
        records = sum(len(batch.records) for batch in batches)
        chunks = (b"".join(map(to_line, batch.records)) for batch in batches)
        position = await on_thread(self._name, lambda: file.append(chunks, records))
        self._counts.records += records
        outlet.released(batches[-1].epoch, position.encode())


def _open(path: Path, position: bytes | None, *, exact: bool) -> AppendFile:
    return AppendFile(path, None if position is None else FilePosition.decode(position), exact=exact)
