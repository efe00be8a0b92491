"""Drives the engine: carries out what it decides, one turn of the event loop after the other.

A turn moves time on, loads the state that calls need, makes the calls, and cuts an epoch when the last one is durable.
Replies and messages that arrive between turns go straight into the engine and ask for another turn.
"""

import asyncio
import logging
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TypeVar

from statefun_runtime.clock import EngineClock
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.rejection import reject_records
from statefun_runtime.epoch import Epoch
from statefun_runtime.errors import StoreError
from statefun_runtime.failure_log import FailureLog
from statefun_runtime.interfaces import Arrival, Batch, Endpoint, Inlet, Rejected, Reply, Store
from statefun_runtime.metrics import Histogram
from statefun_runtime.outgoing import Outgoing
from statefun_runtime.reading import answer_reads
from statefun_runtime.store.committer import Commit, Committer

T = TypeVar("T")

_log = logging.getLogger(__name__)
_BATCHES = 64
"""Most calls of one function type in one round: few enough that a round is short, enough to share its fixed cost."""
_TURN_SECONDS = 0.002
"""How long a turn may keep the event loop from sockets."""
_LET_IN = 32
"""Those who wait for the same room and are told of it in one turn: most of a crowd would find it taken, again and
again."""
_REMEMBERED_COMMITS = 1000
_PAUSE = 2
"""Times that the last commit took, for which no other begins: 41,000 invocations a second instead of 35,000 with 1."""
_LONGEST_PAUSE = 0.05


@dataclass(slots=True)
class CommitFigures:
    """What commits cost, in seconds and rows."""

    latency: Histogram = field(default_factory=Histogram)
    recent: deque[float] = field(default_factory=lambda: deque[float](maxlen=_REMEMBERED_COMMITS))
    rows: int = 0

    def add(self, commit: Commit) -> None:
        self.latency.observe(commit.seconds)
        self.recent.append(commit.seconds)
        self.rows += commit.rows


class Driver:
    """Owns the engine's thread: everything here runs on the event loop, only commits are written elsewhere."""

    def __init__(
        self,
        engine: Engine,
        store: Store,
        endpoint_of: Callable[[str], Endpoint],
        clock: EngineClock,
        commit_interval: float,
    ) -> None:
        """Args: `endpoint_of` finds who serves a typename; `commit_interval` is the least seconds between commits."""
        self.engine = engine
        self.commits = CommitFigures()
        self.failures = FailureLog()
        self.outgoing = Outgoing(engine, store, self.wake, self.durable)
        self.latency: defaultdict[str, Histogram] = defaultdict(Histogram)
        """By typename, from giving a batch to its endpoint to the reply."""
        self.when_durable: list[Callable[[Epoch], None]] = [self.failures.durable]
        """Are told of each epoch once it is durable, before those who wait for it."""
        self._store = store
        self._endpoint_of = endpoint_of
        self._clock = clock
        self._commit_interval = commit_interval
        self._committer = Committer(store, engine.lineage)
        self._under_way: asyncio.Future[None] | None = None
        """The commit that is being written."""
        self._commit_timer: asyncio.TimerHandle | None = None
        self._commit_after = 0.0
        self._loop = asyncio.get_running_loop()
        self._scheduled = False
        self._round = 1
        """Calls of one function type in the next round: fewer when the functions themselves take long."""
        self._timer: asyncio.TimerHandle | None = None
        self._waiting_durable: defaultdict[int, list[asyncio.Future[None]]] = defaultdict(list)
        """By epoch."""
        self._waiting_room: defaultdict[frozenset[str], OrderedDict[asyncio.Future[None], None]] = defaultdict(
            OrderedDict
        )
        """By the typenames of what they want to hand in, in the order of their coming."""
        self._paused = False
        self._stopping = False
        self._idle: asyncio.Future[None] | None = None
        """Resolved when no call is under way any more."""
        self.failure: asyncio.Future[None] = self._loop.create_future()
        """Resolved with an exception when nothing more can become durable."""

    # ------------------------------------------------------------------------------------------------- what goes in

    def inlet(self, ingress: str) -> Inlet:
        """The way in for one ingress."""
        return _Inlet(self, ingress)

    def accept(
        self,
        ingress: str,
        arrivals: Sequence[Arrival],
        partition: str,
        position: bytes | None,
        rejected: Sequence[Rejected],
    ) -> int:
        self._check()
        epoch = self.engine.accept(ingress, arrivals, partition, position)
        reject_records(self.engine, ingress, rejected)
        self.wake()
        return epoch

    async def room(self, typenames: Collection[str] = ()) -> None:
        """Wait until the engine wants more for one of these function types, or at all."""
        while self._paused or not self.engine.has_room(typenames):
            self._check()
            await self._wait_for_room(frozenset(typenames))

    async def _wait_for_room(self, typenames: frozenset[str]) -> None:
        future, waiting = self._loop.create_future(), self._waiting_room[typenames]
        waiting[future] = None
        try:
            await future
        finally:
            # Who gives up must not be kept until there is room, which may be hours later.
            waiting.pop(future, None)
            if not waiting and self._waiting_room.get(typenames) is waiting:
                del self._waiting_room[typenames]

    async def durable(self, epoch: int) -> None:
        """Wait until `epoch` is on disk."""
        if epoch <= self.engine.durable:
            return
        self._check()
        future = self._loop.create_future()
        self._waiting_durable[epoch].append(future)
        await future

    async def all_durable(self) -> None:
        """Wait until everything that has happened so far is on disk."""
        epoch = self.engine.epoch
        if epoch.needs_commit():
            self.wake()
        await self.durable(epoch.number if epoch.needs_commit() else epoch.number - 1)

    async def operate(self, work: Callable[[], T]) -> T:
        """Let `work` change the engine, and return what it returns when the change is durable.

        Raises:
            StoreError: It will never be, or `work` failed half-way: only the store is right then.
        """
        self._check()
        epoch = self.engine.epoch
        try:
            result = work()
        except Exception as error:
            self._fail(error)
            raise StoreError(f"the operation failed: {error}; the runtime ends, start it again") from error
        if epoch.needs_commit():
            self.wake()
            await self.durable(epoch.number)
        return result

    def _let_in(self) -> bool:
        """Tell some of those who wait for room that there is; whether there were any."""
        if self._paused:
            return False
        let_in = False
        for typenames in [each for each in self._waiting_room if self.engine.has_room(each)]:
            waiting, most = self._waiting_room[typenames], _LET_IN
            while waiting and most:
                future, _ = waiting.popitem(last=False)
                if not future.done():
                    future.set_result(None)
                    most -= 1
                    let_in = True
        return let_in

    def pause(self) -> None:
        """Let ingresses hand in nothing more."""
        self._paused = True

    # --------------------------------------------------------------------------------------------------------- turns

    def wake(self) -> None:
        """Ask for a turn."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        if self.failure.done():
            return
        try:
            busy = self._work()
            self.outgoing.hand_out()
            self._commit()
        except Exception as error:  # noqa: BLE001 - whatever it is, memory may be wrong now: only the store is right
            self._fail(error)
            return
        if self._let_in() or busy:
            self.wake()
        else:
            self._sleep_until_next_time()

    def _work(self) -> bool:
        """Make the calls that are ready; tell whether more are when the turn is over."""
        engine = self.engine
        engine.tick(self._clock.now())
        if self._stopping:
            return False
        began = time.perf_counter()
        while True:
            has_read = answer_reads(engine, self._store)
            batches = engine.next_batches(self._round)
            if not batches and not has_read:
                return False
            for batch in batches:
                batch.sent_at = time.perf_counter()
                self._endpoint_of(batch.target[0]).invoke(batch, self._reply)
            if time.perf_counter() - began > _TURN_SECONDS:
                self._round = max(1, self._round // 2)
                return True
            self._round = min(_BATCHES, 2 * self._round)

    def _reply(self, batch: Batch, reply: Reply) -> None:
        self.latency[batch.target[0]].observe(time.perf_counter() - batch.sent_at)
        try:
            self.engine.reply(batch, reply)
        except Exception as error:  # noqa: BLE001 - as in a turn
            self._fail(error)
        if self._idle is not None and not self._in_flight():
            _set(self._idle)
        self.wake()

    def _sleep_until_next_time(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.engine.next_time()
        if due is not None:
            self._timer = self._loop.call_later(max(0, due - self._clock.now()) / 1000, self.wake)

    # ------------------------------------------------------------------------------------------------------- commits

    def _commit(self) -> None:
        if self._under_way is not None or self.failure.done():
            return
        wait = self._commit_after - self._loop.time()
        if wait <= 0 or self.engine.is_epoch_full:
            self._submit(self.engine.cut())
        elif self._commit_timer is None and self.engine.epoch.needs_commit():
            self._commit_timer = self._loop.call_later(wait, self._commit_later)

    def _commit_later(self) -> None:
        self._commit_timer = None
        self._commit_after = 0.0
        self._commit()

    def _submit(self, epoch: Epoch | None) -> None:
        if epoch is None:
            return
        if self._commit_timer is not None:
            # Of an epoch that was cut before its time: it would end the pause after this commit.
            self._commit_timer.cancel()
            self._commit_timer = None
        self._under_way = self._loop.create_future()
        self._committer.submit(epoch, lambda done: self._loop.call_soon_threadsafe(self._committed, epoch, done))

    def _committed(self, epoch: Epoch, done: Future[Commit]) -> None:
        if self._under_way is not None:
            self._under_way.set_result(None)
            self._under_way = None
        failed = done.exception()
        if failed is not None:
            self._fail(failed)
            return
        commit = done.result()
        self.commits.add(commit)
        # An epoch costs something however small it is: leave disk and interpreter alone for a while, then write more.
        pause = min(_PAUSE * commit.seconds, _LONGEST_PAUSE)
        self._commit_after = self._loop.time() + max(self._commit_interval, pause)
        try:
            self._release(epoch)
        except Exception as error:  # noqa: BLE001 - as in a turn
            self._fail(error)
        self.wake()

    def _release(self, epoch: Epoch) -> None:
        for tell in self.when_durable:
            tell(epoch)
        waiting = self._waiting_durable
        for number in [number for number in waiting if number <= epoch.number]:
            for future in waiting.pop(number):
                _set(future)
        for typename, specs in epoch.specs.items():
            _log.info("the function %s declares states: %s", typename, ", ".join(map(str, specs.values())) or "none")
        self.outgoing.write(self.engine.committed(epoch))

    def checkpoint(self, path: Path) -> None:
        """Copy the store as of its last commit to `path`, between two commits. Blocks: call it on a thread."""
        self._committer.checkpoint(path)

    async def settle(self) -> None:
        """Commit everything there is, including what egresses have released, and wait for it.

        Raises what ended the driver if it has ended, since it will not become durable then.
        """
        while not self.failure.done():
            if self._under_way is None:
                self._submit(self.engine.cut(everything=True))
            if self._under_way is None:
                return
            await self._under_way
        self.failure.result()

    # -------------------------------------------------------------------------------------------------------- the end

    async def failed(self) -> None:
        """Wait until nothing more can become durable, and raise what was the cause."""
        await asyncio.shield(self.failure)

    def _check(self) -> None:
        if self.failure.done():
            raise StoreError("the runtime has stopped taking messages: an epoch could not be made durable")

    def _fail(self, error: BaseException) -> None:
        if self.failure.done():
            return
        self.failure.set_exception(error)
        unknown = StoreError(f"the epoch will not become durable: {error}")
        for future in chain.from_iterable(self._waiting_durable.values()):
            if not future.done():
                future.set_exception(unknown)
        for future in chain.from_iterable(self._waiting_room.values()):
            _set(future)
        if self._idle is not None:
            _set(self._idle)

    async def finish_calls(self) -> None:
        """Make no new calls, and wait for the replies to those under way."""
        self._stopping = True
        if self._in_flight() and not self.failure.done():
            self._idle = self._loop.create_future()
            await self._idle

    def _in_flight(self) -> int:
        return sum(function_type.in_flight for function_type in self.engine.mailboxes.types.values())

    def close(self) -> None:
        """Wait for the commit under way and end its thread."""
        for timer in (self._timer, self._commit_timer):
            if timer is not None:
                timer.cancel()
        self._committer.close()


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@dataclass(frozen=True, slots=True)
class _Inlet(Inlet):
    driver: Driver
    ingress: str

    def accept(
        self,
        arrivals: Sequence[Arrival],
        partition: str = "",
        position: bytes | None = None,
        rejected: Sequence[Rejected] = (),
    ) -> int:
        return self.driver.accept(self.ingress, arrivals, partition, position, rejected)

    async def room(self, typenames: Collection[str] = ()) -> None:
        await self.driver.room(typenames)

    async def durable(self, epoch: int) -> None:
        await self.driver.durable(epoch)
