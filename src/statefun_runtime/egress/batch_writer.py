"""Writes the batches of an egress one after the other, all that wait at once, in a task of its own."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from statefun_runtime.errors import EgressError
from statefun_runtime.file_position import ForeignFileError
from statefun_runtime.interfaces import OutboxBatch

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class BatchWriter:
    """Hands `write` what was added. A write that failed is not tried again: what reached the disk is unknown."""

    def __init__(
        self, name: str, write: Callable[[list[OutboxBatch]], Awaitable[None]], close: Callable[[], None]
    ) -> None:
        """Start. `write` may raise EgressError; `close` is called when nothing more will be written."""
        self._write = write
        self._close = close
        self._waiting: list[OutboxBatch] = []
        self._arrived = asyncio.Event()
        self._stopping = False
        self._task = asyncio.create_task(self._write_waiting(), name=name)

    def add(self, batch: OutboxBatch) -> None:
        """Take a batch. Raises EgressError if an earlier one could not be written."""
        if self._task.done():
            self._task.result()
        self._waiting.append(batch)
        self._arrived.set()

    async def wait(self, seconds: float | None = None) -> None:
        """Wait until it cannot go on, and raise the EgressError that says why; at most `seconds`."""
        done, _ = await asyncio.wait((self._task,), timeout=seconds)
        for task in done:
            task.result()

    async def stop(self) -> None:
        """Write what waits and close."""
        self._stopping = True
        self._arrived.set()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _write_waiting(self) -> None:
        try:
            while self._waiting or not self._stopping:
                await self._arrived.wait()
                self._arrived.clear()
                if self._waiting:
                    batches, self._waiting = self._waiting, []
                    await self._write(batches)
        except EgressError as error:
            _log.critical("%s", error)
            raise
        finally:
            self._close()


async def on_thread(what: str, step: Callable[[], _T]) -> _T:
    """Run `step` on a thread; what it raises becomes an EgressError that names `what`, an egress and its files."""
    try:
        return await asyncio.to_thread(step)
    except OSError as error:
        raise EgressError(f"{what} cannot be used: {error.strerror}. Mend it and start again") from error
    except (EgressError, ForeignFileError, ValueError) as error:
        raise EgressError(f"{what} {error}") from error
