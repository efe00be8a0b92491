"""One connection to a database, used on one thread, so that the event loop never waits for a disk."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field

T = TypeVar("T")

TableName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
"""Written into statements as it is, so nothing else may stand in it."""


class Database:
    """A file, opened with the first piece of work."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, f"database {path.name}")
        self._connection: sqlite3.Connection | None = None

    async def do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in one transaction: all of it is durable when this returns, or nothing if it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._in_transaction(work))

    async def close(self) -> None:
        """Finish the work under way. Idempotent."""
        await asyncio.to_thread(self._close)

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, check_same_thread=False)
        with self._connection as connection:
            return work(connection)

    def _close(self) -> None:
        self._thread.shutdown(wait=True)
        if self._connection is not None:
            self._connection.close()
            self._connection = None
