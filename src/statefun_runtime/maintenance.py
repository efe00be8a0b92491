"""What an operator may do with a running application as a whole, by the actions of its admin server."""

import asyncio
import logging
from functools import partial
from pathlib import Path

from statefun_runtime.console.actions import Actions, JsonObject
from statefun_runtime.driver import Driver
from statefun_runtime.errors import StatefunRuntimeError
from statefun_runtime.store.savepoint import take_savepoint

SAVEPOINTS = "/savepoints"

_log = logging.getLogger(__name__)


class Maintenance:
    """Takes savepoints, one at a time."""

    def __init__(self, driver: Driver, data_dir: Path) -> None:
        self._driver = driver
        self._data_dir = data_dir
        self._turn = asyncio.Lock()

    def add_to(self, actions: Actions) -> None:
        """Offer everything."""
        actions.add(SAVEPOINTS, self._take_savepoint)

    async def _take_savepoint(self, asked: JsonObject) -> JsonObject:
        name = asked.get("name")
        if not isinstance(name, str):
            raise StatefunRuntimeError("a savepoint needs a name")
        async with self._turn:
            take = partial(take_savepoint, self._data_dir, name, self._driver.checkpoint)
            savepoint = await asyncio.to_thread(take)
        _log.info("savepoint %s: epoch %d, %d bytes", savepoint.name, savepoint.epoch, savepoint.size)
        return savepoint.model_dump(mode="json")
