"""The file egress: each record is a line of one file, exactly once.

The length of the file after epoch N is kept by the commit that removes N from the outbox. After a crash the file is
cut to the last length that was kept, and what is still in the outbox is written again, byte for byte.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from statefun_runtime.egress.append_file import AppendFile
from statefun_runtime.egress.lines import to_line
from statefun_runtime.errors import EgressError
from statefun_runtime.file_position import FilePosition, ForeignFileError
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Outlet
from statefun_runtime.module.egress_spec import FileEgressSpec

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class FileEgress:
    """Appends to a file that belongs to it alone.

    Without a position the file must be new or empty; its length of 0 is reported as the position after epoch 0, so that
    a crash before the first release finds the file known. A file that has grown since a savepoint is never cut unasked:
    whoever went on from there may still write it. All waiting batches share one sync, which runs on a thread.
    A write that failed is not tried again: what reached the disk is unknown until the next start has cut the file.
    """

    def __init__(self, spec: FileEgressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._waiting: list[OutboxBatch] = []
        self._arrived = asyncio.Event()
        self._stopping = False
        self._writer: asyncio.Task[None] | None = None

    async def start(self, outlet: Outlet, position: bytes | None) -> None:
        file = await self._blocking(lambda: _open(self._spec.path, position, exact=outlet.restored))
        if position is None or outlet.restored:
            outlet.released(0, file.end.encode())
        self._writer = asyncio.create_task(self._write_waiting(file, outlet), name=f"egress {self._spec.id}")

    async def run(self) -> None:
        """Wait until the egress cannot go on, and raise the EgressError that says why."""
        if self._writer is not None:
            await asyncio.shield(self._writer)

    def write(self, batch: OutboxBatch) -> None:
        """Take a batch. Raises EgressError if an earlier one could not be written."""
        if self._writer is not None and self._writer.done():
            self._writer.result()
        self._waiting.append(batch)
        self._arrived.set()

    async def stop(self) -> None:
        """Write what waits, close the file. What could not be written stays in the outbox and comes again."""
        self._stopping = True
        self._arrived.set()
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write_waiting(self, file: AppendFile, outlet: Outlet) -> None:
        try:
            while self._waiting or not self._stopping:
                await self._arrived.wait()
                self._arrived.clear()
                if self._waiting:
                    await self._write_all(file, outlet)
        except EgressError as error:
            _log.critical("%s", error)
            raise
        finally:
            file.close()

    async def _write_all(self, file: AppendFile, outlet: Outlet) -> None:
        batches, self._waiting = self._waiting, []
        records = sum(len(batch.records) for batch in batches)
        chunks = (b"".join(map(to_line, batch.records)) for batch in batches)
        position = await self._blocking(lambda: file.append(chunks, records))
        self._counts.records += records
        outlet.released(batches[-1].epoch, position.encode())

    async def _blocking(self, step: Callable[[], _T]) -> _T:
        """Run `step` on a thread; what it raises becomes an EgressError that names the egress and the file."""
        name = f"egress {self._spec.id}: {self._spec.path}"
        try:
            return await asyncio.to_thread(step)
        except OSError as error:
            raise EgressError(f"{name} cannot be used: {error.strerror}. Mend it and start again") from error
        except (EgressError, ForeignFileError, ValueError) as error:
            raise EgressError(f"{name} {error}") from error


def _open(path: Path, position: bytes | None, *, exact: bool) -> AppendFile:
    return AppendFile(path, None if position is None else FilePosition.decode(position), exact=exact)
