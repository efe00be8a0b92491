"""A driver with parts that the tests move by hand: answers, commits and time."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from statefun_runtime.clock import Clock, EngineClock
from statefun_runtime.driver import Driver
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import (
    Address,
    Arrival,
    Batch,
    Changes,
    Effects,
    Egress,
    EgressRecord,
    Endpoint,
    OutboxBatch,
    Outlet,
    Reply,
    ReplyTo,
    Send,
    StateSpec,
)
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.recovery import recover

A: Address = ("test/f", "a")
B: Address = ("test/f", "b")
EGRESS = "test/egress"


class HandClock(Clock):
    """Time that the test moves."""

    def __init__(self) -> None:
        self.time = 1_000_000

    def wall(self) -> int:
        return self.time

    def monotonic(self) -> int:
        return self.time


class HeldStore(MemoryStore):
    """A store whose commits the test can hold up or let fail."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.open.set()
        self.error: StoreError | None = None
        self.commits: list[Changes] = []

    def commit(self, changes: Changes) -> None:
        assert self.open.wait(10)
        if self.error is not None:
            raise self.error
        super().commit(changes)
        self.commits.append(changes)

    def checkpoint(self, path: Path) -> None:
        raise NotImplementedError


class LateEndpoint(Endpoint):
    """Calls wait in `calls` until the test answers them."""

    def __init__(self) -> None:
        self.calls: asyncio.Queue[tuple[Batch, ReplyTo]] = asyncio.Queue()

    async def start(self) -> None:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        self.calls.put_nowait((batch, reply_to))

    async def answer(self, reply: Reply) -> Batch:
        """Wait for a call and answer it."""
        batch, reply_to = await self.calls.get()
        reply_to(batch, reply)
        return batch


class PromptEndpoint(LateEndpoint):
    """Answers with `reply` before `invoke` returns."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        reply_to(batch, self.reply)


class ListEgress(Egress):
    """Keeps what is released to it; the test reports it as written."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[OutboxBatch] = asyncio.Queue()
        self.error: Exception | None = None

    def write(self, batch: OutboxBatch) -> None:
        if self.error is not None:
            raise self.error
        self.batches.put_nowait(batch)


@dataclass
class Rig:
    """A driver with everything it drives."""

    store: HeldStore = field(default_factory=HeldStore)
    clock: HandClock = field(default_factory=HandClock)
    endpoint: LateEndpoint = field(default_factory=LateEndpoint)
    egress: ListEgress = field(default_factory=ListEgress)
    limits: Limits = field(default_factory=Limits)
    commit_interval: float = 0.0
    endpoints: dict[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    """Who serves other function types than the tests' own."""

    def start(self) -> "Rig":
        recovery = recover(self.store)
        self.engine = Engine(recovery, [EGRESS], self.limits, Random(0))
        self.engine.declare("test/f", [StateSpec("seen", "test/text")])
        clock = EngineClock(self.clock, recovery.time)
        self.driver = Driver(self.engine, self.store, self._endpoint_of, clock, self.commit_interval)
        self.driver.outgoing.attach({EGRESS: self.egress})
        self.inlet = self.driver.inlet("ingress")
        self.outlet: Outlet = self.driver.outgoing.outlet(EGRESS)
        return self

    def _endpoint_of(self, typename: str) -> Endpoint:
        return self.endpoints.get(typename, self.endpoint)

    def accept(self, *targets: Address) -> int:
        return self.inlet.accept([Arrival(target, b"message") for target in targets])

    async def close(self) -> None:
        self.store.open.set()
        self.driver.close()
        await turns()
        if self.driver.failure.done():
            self.driver.failure.exception()


async def turns() -> None:
    """Let the event loop do everything that it can do now."""
    for _ in range(10):
        await asyncio.sleep(0)


def effects(*sends: Send, record: bytes | None = None) -> Effects:
    all_effects = Effects()
    all_effects.sends += sends
    if record is not None:
        all_effects.egresses.append(EgressRecord(EGRESS, record))
    return all_effects


class HandTimers:
    """Replaces the event loop's timers: they fire when the test moves the clock."""

    def __init__(self, clock: HandClock) -> None:
        self.loop = asyncio.get_running_loop()
        self.clock = clock
        self.timers: list[tuple[int, asyncio.TimerHandle, Callable[[], object]]] = []
        self.loop.call_later = self._call_later  # type: ignore[method-assign]

    def _call_later(
        self, delay: float, callback: Callable[[], object], *_: object, **__: object
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(0, callback, (), self.loop)
        self.timers.append((self.clock.time + round(delay * 1000), handle, callback))
        return handle

    def due(self) -> list[int]:
        """Milliseconds until each timer that was not cancelled."""
        return sorted(when - self.clock.time for when, handle, _ in self.timers if not handle.cancelled())

    async def advance(self, milliseconds: int) -> None:
        self.clock.time += milliseconds
        now = [timer for timer in self.timers if timer[0] <= self.clock.time]
        self.timers = [timer for timer in self.timers if timer[0] > self.clock.time]
        for _, handle, callback in now:
            if not handle.cancelled():
                callback()
        await turns()
