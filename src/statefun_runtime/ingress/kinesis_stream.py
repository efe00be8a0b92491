"""Reads the shards of one Kinesis stream, each in a task of its own, and follows splits and merges."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from statefun_runtime.errors import IngressError
from statefun_runtime.ingress.kinesis_position import END, Begin, Place, StreamPosition
from statefun_runtime.ingress.kinesis_records import KinesisRecords
from statefun_runtime.interfaces import Arrival, Inlet, RecordCounts
from statefun_runtime.kinesis.backoff import Backoff
from statefun_runtime.kinesis.client import KinesisClient, Shard
from statefun_runtime.kinesis.errors import (
    AccessError,
    ExpiredIteratorError,
    KinesisError,
    RefusedError,
    StreamError,
    reason_of,
)
from statefun_runtime.module.ingress_spec import DateStartup, EarliestStartup, KinesisStartup, KinesisStream

_LIST_SECONDS = 10.0
_FETCH_SECONDS = 0.2
"""Between two fetches from one shard: the service allows five a second."""
_MOST_RECORDS = 10_000
"""In one fetch; the service also stops at 10 MB."""
_MOST_FETCHED = 4
"""Fetches of one stream that are in memory at a time."""

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class KinesisStreamReader:
    """Reads one stream for an ingress."""

    def __init__(
        self,
        stream: KinesisStream,
        client: KinesisClient,
        inlet: Inlet,
        position: StreamPosition,
        counts: RecordCounts,
    ) -> None:
        self._name = f"{client.name}: {stream.stream}"
        self._spec = stream
        self._records = KinesisRecords(stream)
        self._client = client
        self._inlet = inlet
        self._position = position
        self._counts = counts
        self._fetches = asyncio.Semaphore(_MOST_FETCHED)
        self._reading: set[str] = set()
        self._ended = asyncio.Event()

    async def run(self, startup: KinesisStartup, tasks: asyncio.TaskGroup) -> None:
        """Find shards and have them read in `tasks`, for ever. Raises IngressError."""
        while True:
            self._ended.clear()
            shards, moment = await self._persist(
                f"stream {self._spec.stream}", lambda: self._client.list_shards(self._spec.stream)
            )
            if self._position.begin is None:
                await self._begin(begin_of(startup, shards, moment))
            for shard in self._position.readable(shards):
                if shard.id not in self._reading:
                    self._reading.add(shard.id)
                    tasks.create_task(self._read(shard), name=f"{self._name}/{shard.id}")
            try:
                async with asyncio.timeout(_LIST_SECONDS):
                    await self._ended.wait()
            except TimeoutError:
                continue

    async def _begin(self, begin: Begin) -> None:
        await self._inlet.room(self._spec.targets)
        self._inlet.accept((), self._spec.stream, begin.encode())
        self._position.begin = begin

    async def _read(self, shard: Shard) -> None:
        """Read a shard to its end, if it has one."""
        _log.info("%s: reads %s", self._name, shard.id)
        iterator: str | None = None
        while True:
            try:
                iterator = iterator or await self._iterator(shard)
                iterator = await self._fetch(shard, iterator)
            except ExpiredIteratorError:
                iterator = None
                continue
            if iterator is None:
                break
            await asyncio.sleep(_FETCH_SECONDS)
        await self._inlet.room(self._spec.targets)
        self._accept(shard, (), END)
        self._reading.remove(shard.id)
        self._ended.set()
        _log.info("%s: %s was split or merged and is read to its end", self._name, shard.id)

    async def _iterator(self, shard: Shard) -> str:
        start = self._position.start(shard.id)
        return await self._persist(self._what(shard), lambda: self._client.iterator(self._spec.stream, shard.id, start))

    async def _fetch(self, shard: Shard, iterator: str) -> str | None:
        """Hand in what comes next in a shard; return the iterator behind it."""
        async with self._fetches:
            await self._inlet.room(self._spec.targets)
            records, following = await self._persist(
                self._what(shard), lambda: self._client.records(iterator, _MOST_RECORDS)
            )
            taken = self._position.taken(shard.id, records[0].sequence) if records else 0
            for step in self._records.steps(shard, records, taken):
                await self._inlet.room(self._spec.targets)
                self._accept(shard, step.arrivals, step.place)
                self._counts.records += step.records
                self._counts.rejected += step.foreign
                if step.foreign:
                    _log.warning("%s/%s: left out %d records of another shard", self._name, shard.id, step.foreign)
        return following

    def _accept(self, shard: Shard, arrivals: Sequence[Arrival], place: Place) -> None:
        self._inlet.accept(arrivals, f"{self._spec.stream}/{shard.id}", place.encode())
        self._position.places[shard.id] = place

    def _what(self, shard: Shard) -> str:
        return f"shard {self._spec.stream}/{shard.id}"

    async def _persist(self, what: str, request: Callable[[], Awaitable[_T]]) -> _T:
        """Make a request until it is answered. Raises IngressError where that is hopeless, or ExpiredIteratorError.

        Args:
            what: What a problem with it concerns.
            request: Makes it.
        """
        backoff = Backoff()
        while True:
            try:
                answer = await request()
            except ExpiredIteratorError:
                raise
            except (AccessError, StreamError, RefusedError) as error:
                raise IngressError(f"{self._name} cannot be read: {error}. {_advice(error)}") from error
            except KinesisError as error:
                if self._counts.connection.failed(what, reason_of(error), str(error)):
                    _log.warning("%s: %s (%s); trying again", self._name, reason_of(error), error)
            else:
                if self._counts.connection.works(what):
                    _log.info("%s: %s is read again", self._name, what)
                return answer
            await asyncio.sleep(backoff.next())


def begin_of(startup: KinesisStartup, shards: list[Shard], moment: int) -> Begin:
    """Where to begin with a stream whose shards are known as of `moment` (milliseconds since the epoch)."""
    ids = frozenset(shard.id for shard in shards)
    match startup:
        case EarliestStartup():
            return Begin(None, ids, frozenset())
        case DateStartup(date=date):
            return Begin(int(date.timestamp() * 1000), ids, frozenset())
        case _:
            is_open = frozenset(shard.id for shard in shards if shard.is_open)
            return Begin(moment, is_open, ids - is_open)


def _advice(error: KinesisError) -> str:
    match error:
        case AccessError():
            return "Check awsRegion and awsCredentials"
        case StreamError():
            return "Check the name of the stream, awsRegion, and what the credentials allow"
        case _:
            return (
                "If the stream was deleted and made anew, its stored positions do not fit: read it under another "
                "ingress id"
            )
