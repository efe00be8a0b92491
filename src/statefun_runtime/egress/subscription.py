"""The subscription egress: `GET /egress/<id>?after=<cursor>` reads records, any number of times.

Records are durable in the outbox before any of them is written to the log, and the end of the log is kept by the
commit that removes them from the outbox. So after a crash the log is cut to that end, and what comes again gets the
numbers that it had.
"""

import asyncio
import logging
from collections.abc import Sequence
from urllib.parse import quote, unquote

from aiohttp import web

from statefun_runtime.egress.batch_writer import BatchWriter, on_thread
from statefun_runtime.egress.cursor import Cursor
from statefun_runtime.egress.poll import LATEST, Poll, parse_poll
from statefun_runtime.egress.record_log import LogPosition, RecordLog, Retention
from statefun_runtime.egress.segment import Lines
from statefun_runtime.errors import EgressError
from statefun_runtime.http_server import HttpError, HttpServer
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Outlet
from statefun_runtime.module.egress_spec import SubscriptionEgressSpec

DIRECTORY = "subscriptions"
"""Within the data directory; in it one directory for each egress, in that one for each lineage."""
CURSOR_HEADER = "Statefun-Cursor"
_ANSWER_BYTES = 4 << 20
_TRIM_SECONDS = 30.0
_log = logging.getLogger(__name__)


class SubscriptionEgress:
    """Keeps records for `retention_time`, at most `retention_size` bytes of them, for readers that come with a cursor.

    Answers: 200 with the records behind the cursor, which may be none after a wait, as JSON Lines, or as a JSON array
    if the request accepts that; the cursor behind them is in the header `CURSOR_HEADER`. 400 no cursor, 404 another
    egress, 405 another method, 410 when records behind the cursor are not kept, or it is of another lineage: `oldest`
    in the body is the cursor to go on from.
    """

    def __init__(self, spec: SubscriptionEgressSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._lineage = context.lineage
        self._directory = context.data_dir / DIRECTORY / quote(spec.id, safe="") / context.lineage
        self._name = f"egress {spec.id}: {self._directory}"
        self._retention = Retention(spec.retention_time / 1000, spec.retention_size)
        self._server = HttpServer(self._answer, context.host, spec.port)
        self._writer: BatchWriter | None = None
        self._writing = asyncio.Lock()
        self._appended = asyncio.Event()
        """Set when the log has grown, or when nobody shall wait for that any more; then another takes its place."""
        self._stopping = False

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return self._server.port

    async def start(self, outlet: Outlet, position: bytes | None) -> None:
        self._records = await on_thread(self._name, lambda: self._open(position))
        if self._records.is_new:
            outlet.released(0, self._records.position.encode())
        self._writer = BatchWriter(
            f"egress {self._spec.id}", lambda batches: self._write_all(outlet, batches), self._records.close
        )
        try:
            await self._server.start()
        except OSError as error:
            await self._writer.stop()
            raise EgressError(
                f"egress {self._spec.id}: port {self._spec.port}: {error.strerror}. Free it, or set another `port`"
            ) from error

    async def run(self) -> None:
        """Forget old records now and then, until the egress cannot go on; raise the EgressError that says why."""
        while self._writer is not None and not self._stopping:
            await self._writer.wait(min(_TRIM_SECONDS, self._retention.seconds / 16))
            async with self._writing:
                await on_thread(self._name, self._records.trim)

    def write(self, batch: OutboxBatch) -> None:
        """Take a batch. Raises EgressError if an earlier one could not be written."""
        if self._writer is not None:
            self._writer.add(batch)

    async def stop(self) -> None:
        """Write what waits, answer those who wait, close the log. What was not written stays in the outbox."""
        self._stopping = True
        if self._writer is not None:
            await self._writer.stop()
        self._appended.set()
        await self._server.stop()

    def _open(self, encoded: bytes | None) -> RecordLog:
        position = None if encoded is None else LogPosition.decode(encoded)
        log = RecordLog(self._directory, self._lineage, position, self._retention)
        if log.is_new and position is not None:
            _log.warning("%s is new: records up to number %d cannot be read there", self._name, position.number)
        return log

    async def _write_all(self, outlet: Outlet, batches: Sequence[OutboxBatch]) -> None:
        async with self._writing:
            self._counts.records += await on_thread(self._name, lambda: self._append(batches))
            outlet.released(batches[-1].epoch, self._records.position.encode())
        self._appended.set()
        self._appended = asyncio.Event()

    def _append(self, batches: Sequence[OutboxBatch]) -> int:
        records = self._records.append([batch.records for batch in batches])
        self._records.trim()
        return records

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = f"/egress/{self._spec.id}"
        if unquote(request.rel_url.raw_path) != path:
            raise HttpError(404, f"there is only {path}")
        if request.method != "GET":
            raise HttpError(405, "only GET reads records", {"Allow": "GET"})
        try:
            poll = parse_poll(request.rel_url.query)
            cursor = self._cursor(poll.after)
        except ValueError as error:
            raise HttpError(400, str(error)) from error
        if not self._is_kept(cursor):
            return self._gone(cursor)
        await self._wait(cursor, poll.seconds)
        lines = await self._read(cursor, poll)
        return self._gone(cursor) if lines is None else _response(request, lines, cursor)

    def _cursor(self, after: str) -> Cursor:
        view = self._records.view
        if after in ("", LATEST):
            return Cursor(self._lineage, view.last if after else view.begin)
        return Cursor.parse(after)

    def _is_kept(self, cursor: Cursor) -> bool:
        return cursor.lineage == self._lineage and cursor.number >= self._records.view.begin

    async def _wait(self, cursor: Cursor, seconds: float) -> None:
        """Wait until there is a record behind the cursor, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                while cursor.number >= self._records.view.last and not self._stopping:
                    await self._appended.wait()
        except TimeoutError:
            return

    async def _read(self, cursor: Cursor, poll: Poll) -> Lines | None:
        """The records behind the cursor; `None` if they are not kept any more."""
        view = self._records.view
        if cursor.number >= view.last:
            return Lines(b"", 0)
        if not self._is_kept(cursor):
            return None
        try:
            return await asyncio.to_thread(view.read, cursor.number, poll.most, _ANSWER_BYTES)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            _log.error("%s: %s", self._name, error)
            raise HttpError(500, "the log cannot be read; the runtime's log says why") from error

    def _gone(self, cursor: Cursor) -> web.Response:
        oldest = Cursor(self._lineage, self._records.view.begin)
        reason = (
            f"records behind {cursor} are not kept any more"
            if cursor.lineage == self._lineage
            else "the cursor is of another lineage: the application was restored from a savepoint"
        )
        error = f"{reason}; the oldest record is behind the cursor {oldest}"
        return web.json_response({"error": error, "oldest": str(oldest)}, status=410)


def _response(request: web.Request, lines: Lines, cursor: Cursor) -> web.Response:
    headers = {CURSOR_HEADER: str(cursor._replace(number=cursor.number + lines.number))}
    if "application/json" in request.headers.get("Accept", ""):
        body = b"[" + lines.content[:-1].replace(b"\n", b",\n") + b"]"
        return web.Response(body=body, content_type="application/json", headers=headers)
    return web.Response(body=lines.content, content_type="application/x-ndjson", headers=headers)
