"""What an operator may do with a running application as a whole, by the actions of its admin server."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from statefun_runtime.console.actions import Actions, JsonObject
from statefun_runtime.errors import StatefunRuntimeError
from statefun_runtime.store.savepoint import take_savepoint

SAVEPOINTS = "/savepoints"
DRAIN = "/drain"
STOP = "/stop"

_log = logging.getLogger(__name__)


class Maintenance:
    """Takes savepoints, one at a time; drains and stops."""

    def __init__(
        self,
        data_dir: Path,
        checkpoint: Callable[[Path], object],
        drain: Callable[[], Awaitable[object]],
        stop: Callable[[], object],
    ) -> None:
        """Make what `add_to` offers.

        Args:
            data_dir: Where savepoints are kept.
            checkpoint: Copies the store between two commits; blocks, and is called on a thread.
            drain: Stops the ingresses; may be called again.
            stop: Asks the process to end; may be called again.
        """
        self._data_dir = data_dir
        self._checkpoint = checkpoint
        self._drain = drain
        self._stop = stop
        self._turn = asyncio.Lock()

    def add_to(self, actions: Actions) -> None:
        """Offer everything."""
        actions.add(SAVEPOINTS, self._take_savepoint)
        actions.add(DRAIN, self._start_draining)
        actions.add(STOP, self._start_stopping)

    async def _take_savepoint(self, asked: JsonObject) -> JsonObject:
        name = asked.get("name")
        if not isinstance(name, str):
            raise StatefunRuntimeError("a savepoint needs a name")
        async with self._turn:
            savepoint = await asyncio.to_thread(take_savepoint, self._data_dir, name, self._checkpoint)
        _log.info("savepoint %s: epoch %d, %d bytes", savepoint.name, savepoint.epoch, savepoint.size)
        return savepoint.model_dump(mode="json")

    async def _start_draining(self, _: JsonObject) -> JsonObject:
        _log.info("draining: no more messages are taken, what is here goes on")
        await self._drain()
        return {"state": "draining"}

    async def _start_stopping(self, _: JsonObject) -> JsonObject:
        self._stop()
        return {"state": "stopping"}
