"""The ingress: every row of a table becomes a message, exactly once.

The position is the number of the last row that was read. It becomes durable together with the messages, in one epoch,
so nothing is ever written to the table, and several applications can read it.
"""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sql_outbox.database import Database, TableName
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.errors import IngressError
from statefun_runtime.interfaces import AdapterContext, Arrival, Inlet
from statefun_runtime.module.spec import AdapterSpec, Duration, FilePath, Targets, TypeNameText

_ROWS = 500
"""Read at once."""


class TableIngressSpec(AdapterSpec):
    """What a module file says of the ingress.

    The table has the columns `number` (a whole number that grows, as `INTEGER PRIMARY KEY AUTOINCREMENT` makes it),
    `target` (the id of the function to call) and `value` (the message).
    """

    path: FilePath
    table: TableName
    value_type: TypeNameText
    targets: Targets
    poll_interval: Duration = 500


class Row(NamedTuple):
    """A row of the table."""

    number: int
    target: str
    value: bytes


class TableIngress:
    """Asks for new rows now and then. SQLite has one writer at a time, so a number is never seen after a higher one."""

    spec_class = TableIngressSpec

    def __init__(self, spec: TableIngressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._database = Database(spec.path)
        self._last = 0

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        self._inlet = inlet
        self._last = int(positions.get("", b"0"))

    async def run(self) -> None:
        while True:
            await self._inlet.room()
            rows = await self._read()
            if rows:
                self._accept(rows)
            else:
                await asyncio.sleep(self._spec.poll_interval / 1000)

    async def stop(self) -> None:
        await self._database.close()

    def _accept(self, rows: Sequence[Row]) -> None:
        arrivals: list[Arrival] = []
        for row in rows:
            payload = TypedValue(typename=self._spec.value_type, has_value=True, value=row.value).SerializeToString()
            arrivals += [Arrival((target, row.target), payload) for target in self._spec.targets]
        self._last = rows[-1].number
        self._inlet.accept(arrivals, "", str(self._last).encode())
        self._counts.records += len(rows)

    async def _read(self) -> list[Row]:
        query = (
            f"SELECT number, target, CAST(value AS BLOB) FROM {self._spec.table} "  # noqa: S608  a checked name
            "WHERE number > ? ORDER BY number LIMIT ?"
        )
        try:
            found = await self._database.do(
                lambda connection: connection.execute(query, (self._last, _ROWS)).fetchall()
            )
        except sqlite3.Error as error:
            raise IngressError(f"ingress {self._spec.id}: {self._spec.path}: {error}") from error
        return [Row(*row) for row in found]
