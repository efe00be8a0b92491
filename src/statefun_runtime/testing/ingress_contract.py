"""What every ingress promises to the runtime, as checks that any ingress can be put to."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeAlias

from google.protobuf.message import DecodeError

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import AdapterContext, Ingress, RecordCounts
from statefun_runtime.testing.contract import ContractError, stop_in_time, until
from statefun_runtime.testing.inlet import CrashingInlet, MemoryInlet

_IDS = tuple(f"id-{number}" for number in range(7))
_GRACE_SECONDS = 0.1
"""How long an ingress gets to do what it must not."""


class IngressHarness(Protocol):
    """One new, empty source of an outside system, and the ingresses that read it. Each check gets one of its own."""

    keeps: bool
    """Whether the source keeps messages while no ingress runs, as files, tables and topics do. Over HTTP it does not:
    there a message is confirmed by the ingress itself."""
    patience: float
    """Seconds that a message may take from the source through the ingress; usually `PATIENCE`."""

    def ingress(self, context: AdapterContext) -> Ingress:
        """A new ingress for the source, as every start of a runtime makes it."""
        ...

    async def put(self, target_id: str) -> None:
        """Hand a message for the target id to the source and return when it is confirmed; raise if it was refused.

        Messages put one after the other have an order that the ingress has to keep. With `keeps` this works whether an
        ingress runs or not. Without it, it is called while one runs, and again after a crash if it did not return.
        """


IngressCheck: TypeAlias = Callable[[IngressHarness], Awaitable[None]]
"""Puts the ingresses of a harness to a check. Raises ContractError, or what the ingress raised."""


class _Scene:
    """A source and a sender who puts each message until it is confirmed."""

    def __init__(self, harness: IngressHarness) -> None:
        self.counts = RecordCounts()
        self._harness = harness
        self._unconfirmed: list[str] = []
        self._confirmed: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def put(self, *ids: str) -> None:
        """Put messages now if the source keeps them, else while the next ingress runs."""
        self._unconfirmed += ids
        if self._harness.keeps:
            await self._send()

    @asynccontextmanager
    async def running(self, inlet: MemoryInlet) -> AsyncGenerator[None]:
        """An ingress, from the start to the stop, that begins at the inlet's durable positions."""
        ingress = self._harness.ingress(AdapterContext(self.counts))
        await ingress.start(inlet, dict(inlet.durable_positions))
        self._tasks = [asyncio.create_task(ingress.run()), asyncio.create_task(self._send())]
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await stop_in_time(ingress.stop(), self._harness.patience)

    async def until(self, inlet: MemoryInlet, count: int, *, confirmed: bool = True) -> None:
        """Wait until `count` messages have arrived and all are confirmed, or until the runtime has died."""

        async def is_over() -> bool:
            if _crashed(inlet):
                return True
            self._raise_errors()
            return len(inlet.arrivals) >= count and not (confirmed and self._unconfirmed)

        await until(
            is_over,
            self._harness.patience,
            lambda: f"{count} messages arrived, only {_ids(inlet)}; confirmed to the sender were {self._confirmed}",
        )

    async def finish(self, earlier: MemoryInlet, expected: Sequence[str]) -> None:
        """Restart with one more message, and check that with it exactly `expected` have arrived, in this order."""
        await self.put("last")
        inlet = MemoryInlet(commits=True, earlier=earlier)
        async with self.running(inlet):
            await self.until(inlet, len(expected) + 1)
        _check_arrivals(inlet, [*expected, "last"])

    async def _send(self) -> None:
        while self._unconfirmed:
            await self._harness.put(self._unconfirmed[0])
            self._confirmed.append(self._unconfirmed.pop(0))

    def _raise_errors(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()  # raises what ended it; a source that has come to its end may get more later


async def every_message_arrives_once_and_in_order(harness: IngressHarness) -> None:
    """While all goes well."""
    scene, inlet = _Scene(harness), MemoryInlet(commits=True)
    await scene.put(*_IDS)
    async with scene.running(inlet):
        await scene.until(inlet, len(_IDS))
    _check_arrivals(inlet, _IDS)


async def every_message_is_counted(harness: IngressHarness) -> None:
    """In `context.counts.records`, when it went through."""
    scene, inlet = _Scene(harness), MemoryInlet(commits=True)
    await scene.put(*_IDS)
    async with scene.running(inlet):
        await scene.until(inlet, len(_IDS))
    if scene.counts != RecordCounts(records=len(_IDS)):
        raise ContractError(f"{len(_IDS)} messages went through, but counted were {scene.counts}")


async def nothing_is_handed_in_before_there_is_room(harness: IngressHarness) -> None:
    """The runtime says how much it takes."""
    scene, inlet = _Scene(harness), MemoryInlet(commits=True)
    inlet.open.clear()
    await scene.put(*_IDS)
    async with scene.running(inlet):
        await asyncio.wait([asyncio.create_task(inlet.accepted.wait())], timeout=_GRACE_SECONDS)
        if inlet.arrivals:
            raise ContractError("messages were handed in without asking for room")
        inlet.open.set()
        await scene.until(inlet, len(_IDS))
    _check_arrivals(inlet, _IDS)


async def nothing_is_confirmed_before_it_is_durable(harness: IngressHarness) -> None:
    """What was confirmed too early is lost in a crash: a message taken back, a row deleted, a sender answered."""
    scene, inlet = _Scene(harness), MemoryInlet()
    await scene.put(*_IDS)
    async with scene.running(inlet):
        await scene.until(inlet, 1, confirmed=False)
        await asyncio.sleep(_GRACE_SECONDS)
        await inlet.fail("the runtime died")
    await scene.finish(inlet, _IDS)


async def what_was_not_durable_comes_again_after_a_crash(harness: IngressHarness) -> None:
    """With crash after crash, each after one more epoch: nothing is lost, doubled or out of order."""
    scene, earlier = _Scene(harness), MemoryInlet()
    await scene.put(*_IDS)
    for _ in range(4 * len(_IDS)):
        inlet = CrashingInlet(1, earlier)
        async with scene.running(inlet):
            await scene.until(inlet, len(_IDS))
        earlier = inlet
        if not inlet.crashed:
            break
    await scene.finish(earlier, _IDS)


async def what_is_durable_does_not_come_again_after_a_restart(harness: IngressHarness) -> None:
    """The positions say what was read."""
    scene, inlet = _Scene(harness), MemoryInlet(commits=True)
    await scene.put(*_IDS)
    async with scene.running(inlet):
        await scene.until(inlet, len(_IDS))
    await scene.finish(inlet, _IDS)


async def an_ingress_can_be_stopped_twice_and_before_it_started(harness: IngressHarness) -> None:
    """A start that fails half-way stops everything."""
    await stop_in_time(harness.ingress(AdapterContext()).stop(), harness.patience)
    ingress = harness.ingress(AdapterContext())
    await ingress.start(MemoryInlet(), {})
    await stop_in_time(ingress.stop(), harness.patience)
    await stop_in_time(ingress.stop(), harness.patience)


INGRESS_CHECKS: tuple[IngressCheck, ...] = (
    every_message_arrives_once_and_in_order,
    every_message_is_counted,
    nothing_is_handed_in_before_there_is_room,
    nothing_is_confirmed_before_it_is_durable,
    what_was_not_durable_comes_again_after_a_crash,
    what_is_durable_does_not_come_again_after_a_restart,
    an_ingress_can_be_stopped_twice_and_before_it_started,
)
"""All checks of an ingress."""


def _crashed(inlet: MemoryInlet) -> bool:
    return isinstance(inlet, CrashingInlet) and inlet.crashed


def _ids(inlet: MemoryInlet) -> list[str]:
    return [arrival.target[1] for arrival in inlet.arrivals]


def _check_arrivals(inlet: MemoryInlet, expected: Sequence[str]) -> None:
    if _ids(inlet) != list(expected):
        raise ContractError(f"the messages that arrived are {_ids(inlet)}, they should be {list(expected)}")
    for arrival in inlet.arrivals:
        try:
            typename = TypedValue.FromString(arrival.payload).typename
        except DecodeError as error:
            raise ContractError(f"a payload is no encoded TypedValue: {arrival.payload!r}") from error
        if "/" not in typename:
            raise ContractError(f"a payload has the type {typename!r}, it should read <namespace>/<name>")
