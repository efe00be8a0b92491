"""The egress: every record becomes a row, exactly once.

The rows of an epoch and the number of that epoch are written in one transaction. So after a crash the table says which
epochs are in it, and the others are written again. The lineage is stored with the number: a runtime that was restored
from a savepoint writes epochs of the same numbers, and they are not the ones that the table has.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial

from sql_outbox.database import Database, T, TableName
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Outlet
from statefun_runtime.module.spec import AdapterSpec, FilePath


class TableEgressSpec(AdapterSpec):
    """What a module file says of the egress: the database, and the table, which is made if it is not there."""

    path: FilePath
    table: TableName


class TableEgress:
    """Writes `(number, typename, value)`; `value` holds the bytes of the record's value."""

    spec_class = TableEgressSpec

    def __init__(self, spec: TableEgressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._database = Database(spec.path)
        self._waiting: list[OutboxBatch] = []
        self._arrived = asyncio.Event()

    async def start(self, outlet: Outlet, position: bytes | None) -> None:  # noqa: ARG002  the table tells
        self._outlet = outlet
        await self._do(self._create)

    def write(self, batch: OutboxBatch) -> None:
        self._waiting.append(batch)
        self._arrived.set()

    async def run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await self._write_waiting()

    async def stop(self) -> None:
        """Write what waits. What cannot be written stays in the outbox and comes again."""
        try:
            await self._write_waiting()
        finally:
            await self._database.close()

    async def _write_waiting(self) -> None:
        """Write all that waits in one transaction, then report it.

        Cancelled in between, the transaction still ends one way or the other; what was not reported comes again.
        """
        while batches := list(self._waiting):
            self._counts.records += await self._do(partial(self._insert, batches))
            del self._waiting[: len(batches)]
            self._outlet.released(batches[-1].epoch)

    def _create(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self._spec.table} "
            "(number INTEGER PRIMARY KEY AUTOINCREMENT, typename TEXT NOT NULL, value BLOB NOT NULL)"
        )
        connection.execute(
            "CREATE TABLE IF NOT EXISTS statefun_epochs "
            "(egress TEXT, lineage TEXT, epoch INTEGER NOT NULL, PRIMARY KEY (egress, lineage))"
        )

    def _insert(self, batches: Sequence[OutboxBatch], connection: sqlite3.Connection) -> int:
        """Insert the records of the epochs that the table does not have; return how many they are."""
        written = 0
        for batch in batches:
            if batch.epoch <= self._last_epoch(connection, batch.lineage):
                continue
            rows = [(value.typename, value.value) for value in map(TypedValue.FromString, batch.records)]
            connection.executemany(
                f"INSERT INTO {self._spec.table} (typename, value) VALUES (?, ?)",  # noqa: S608  a checked name
                rows,
            )
            connection.execute(
                "INSERT OR REPLACE INTO statefun_epochs VALUES (?, ?, ?)", (self._spec.id, batch.lineage, batch.epoch)
            )
            written += len(rows)
        return written

    def _last_epoch(self, connection: sqlite3.Connection, lineage: str) -> int:
        query = "SELECT epoch FROM statefun_epochs WHERE egress = ? AND lineage = ?"
        row = connection.execute(query, (self._spec.id, lineage)).fetchone()
        return int(row[0]) if row else 0

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._database.do(work)
        except sqlite3.Error as error:
            raise EgressError(f"egress {self._spec.id}: {self._spec.path}: {error}. Mend it and start again") from error
