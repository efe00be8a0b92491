"""What every egress promises to the runtime, as checks that any egress can be put to."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol, TypeAlias

from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, Egress, Payload, RecordCounts
from statefun_runtime.testing.contract import ContractError, CrashError, stop_in_time, until
from statefun_runtime.testing.outbox import MemoryOutbox

_EPOCHS = (("1", "2"), ("3",), ("4", "5", "6"), ("7",))
_VALUES = tuple(value for values in _EPOCHS for value in values)
_LIVES = 4 * len(_EPOCHS)
"""Runtimes that may die one after the other, each at a later report."""


class EgressHarness(Protocol):
    """One new, empty sink of an outside system, and the egresses that write it. Each check gets one of its own."""

    exactly_once: bool
    """Whether every record comes out once, whatever crashes when. Otherwise it may come again after a crash."""
    patience: float
    """Seconds that a record may take through the egress into the sink; usually `PATIENCE`."""

    def egress(self, context: AdapterContext) -> Egress:
        """A new egress for the sink, as every start of a runtime makes it."""
        ...

    def record(self, value: str) -> Payload:
        """A record that the egress takes, and from which `read` makes `value` again."""
        ...

    async def read(self) -> list[str]:
        """The values of all records that have come out since the beginning, oldest first.

        If the sink is the egress itself, as over HTTP, and no egress runs: those that were read last.
        """
        ...


EgressCheck: TypeAlias = Callable[[EgressHarness], Awaitable[None]]
"""Puts the egresses of a harness to a check. Raises ContractError, or what the egress raised."""


class _Scene:
    """A sink, an outbox, and the egress between them that runs now."""

    def __init__(self, harness: EgressHarness, outbox: MemoryOutbox | None = None) -> None:
        self.outbox = outbox or MemoryOutbox()
        self.counts = RecordCounts()
        self.values: list[str] = []
        """What had come out when it was looked last."""
        self._harness = harness
        self._serving: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Egress]:
        """An egress, from the start to the stop, that is handed what waits in the outbox."""
        egress = self._harness.egress(
            AdapterContext(self.counts, lineage=self.outbox.lineage, epoch=self.outbox.last_epoch)
        )
        self._serving = None
        try:
            await self.outbox.start(egress)
            self._serving = asyncio.create_task(egress.run())
            yield egress
            self._raise_errors()
        finally:
            if self._serving is not None:
                self._serving.cancel()
                await asyncio.gather(self._serving, return_exceptions=True)
            await stop_in_time(egress.stop(), self._harness.patience)

    def hand_over(self, egress: Egress, *values: str) -> int:
        """Hand over a further epoch; return its number."""
        batch = self.outbox.add(*map(self._harness.record, values))
        egress.write(batch)
        return batch.epoch

    async def write(self, egress: Egress, *values: str) -> None:
        """Hand over a further epoch, and wait until it is reported, or until the runtime has died."""
        await self.until_reported(self.hand_over(egress, *values))

    async def until_reported(self, epoch: int) -> None:
        """Wait until an epoch is reported, or until the runtime has died. What comes out is read meanwhile."""

        async def is_over() -> bool:
            if not self.outbox.crashed:
                self._raise_errors()
            over = self.outbox.crashed or self.outbox.last_released >= epoch
            await self.read()  # also when it is over, since a sink may be gone together with its egress
            return over

        await until(is_over, self._harness.patience, lambda: f"epoch {epoch} was reported; out are {self.values}")

    async def live(self) -> bool:
        """A runtime that hands over what waits and all further epochs. Returns whether it died on the way."""
        try:
            async with self.running() as egress:
                await self.until_reported(self.outbox.last_epoch)
                while self.outbox.last_epoch < len(_EPOCHS) and not self.outbox.crashed:
                    await self.write(egress, *_EPOCHS[self.outbox.last_epoch])
        except (CrashError, EgressError):
            if not self.outbox.crashed:
                raise
        return self.outbox.crashed

    async def read(self) -> None:
        self.values = await self._harness.read()

    async def check(self, wanted: Sequence[str]) -> None:
        """Check that what has come out is `wanted`; where a crash may repeat records, repetitions are passed over."""
        await self.read()
        if self.distinct() != list(wanted):
            raise ContractError(f"the records that came out are {self.values}, they should be {list(wanted)}")

    def distinct(self) -> list[str]:
        return self.values if self._harness.exactly_once else list(dict.fromkeys(self.values))

    def _raise_errors(self) -> None:
        if self._serving is not None and self._serving.done() and not self.outbox.crashed:
            self._serving.result()
            raise ContractError("`run` has returned; an egress serves until it is cancelled, or raises an EgressError")


async def records_come_out_in_order_and_are_reported(harness: EgressHarness) -> None:
    """Each epoch without waiting for a further one."""
    scene = _Scene(harness)
    await scene.live()
    await scene.check(_VALUES)


async def every_record_is_counted(harness: EgressHarness) -> None:
    """In `context.counts.records`, when it is out."""
    scene = _Scene(harness)
    await scene.live()
    if scene.counts != RecordCounts(records=len(_VALUES)):
        raise ContractError(f"{len(_VALUES)} records went out, but counted were {scene.counts}")


async def an_epoch_without_records_is_reported(harness: EgressHarness) -> None:
    """Or it stays in the outbox, and all behind it."""
    scene = _Scene(harness)
    async with scene.running() as egress:
        await scene.write(egress)
    await scene.check([])


async def what_is_reported_is_out(harness: EgressHarness) -> None:
    """The commit after a report removes the records from the outbox: whatever was not out would be lost."""
    scene = _Scene(harness, MemoryOutbox(crash_at=1))
    for crash_at in range(2, _LIVES):
        if not await scene.live():
            break
        await scene.read()
        reported = max(scene.outbox.released_epochs)
        wanted = [value for values in _EPOCHS[:reported] for value in values]
        if not set(wanted) <= set(scene.values):
            raise ContractError(f"epoch {reported} was reported before its records were out: {scene.values}")
        scene.outbox.crash(crash_at)


async def after_crashes_every_record_has_come_out(harness: EgressHarness) -> None:
    """With a crash at each report in turn, before it was kept: what is out comes again, unchanged and in order."""
    scene = _Scene(harness, MemoryOutbox(crash_at=1))
    for crash_at in range(2, _LIVES):
        if not await scene.live():
            break
        scene.outbox.crash(crash_at)
    await scene.check(_VALUES)


async def what_waits_at_a_stop_comes_out_once(harness: EgressHarness) -> None:
    """Whether the stop writes it or leaves it to the next start, with the last commit missing."""
    scene = _Scene(harness)
    async with scene.running() as egress:
        for values in _EPOCHS:
            scene.hand_over(egress, *values)
        await scene.until_reported(1)
    scene.outbox.crash()
    await scene.live()
    await scene.check(_VALUES)


async def what_was_removed_from_the_outbox_does_not_come_again(harness: EgressHarness) -> None:
    """After a stop and a start."""
    scene = _Scene(harness)
    await scene.live()
    scene.outbox.commit()
    async with scene.running() as egress:
        await scene.write(egress, "last")
    await scene.check([*_VALUES, "last"])


async def a_restored_runtime_goes_on(harness: EgressHarness) -> None:
    """After a savepoint since which nobody wrote: its epochs have a lineage of their own."""
    scene = _Scene(harness, MemoryOutbox("first"))
    await scene.live()
    scene.outbox.commit()
    restored = _Scene(harness, scene.outbox.restore("second"))
    async with restored.running() as egress:
        await restored.write(egress, "last")
    await restored.check([*_VALUES, "last"])


async def a_restored_runtime_is_not_taken_for_the_one_that_went_on(harness: EgressHarness) -> None:
    """Both write epochs of the same number after the savepoint. They differ in their lineage, and both come out.

    An egress that cannot have that, as one that owns a file, refuses to go on with an EgressError and writes nothing.
    """
    scene = _Scene(harness, MemoryOutbox("first"))
    async with scene.running() as egress:
        await scene.write(egress, "1")
        waiting = scene.hand_over(egress, "2")
        savepoint = scene.outbox.restore("second")
        await scene.until_reported(waiting)
        await scene.write(egress, "3 of the first")
    restored = _Scene(harness, savepoint)
    try:
        async with restored.running() as egress:
            await restored.until_reported(waiting)
            await restored.write(egress, "3 of the second")
    except EgressError:
        await restored.check(["1", "2", "3 of the first"])
    else:
        await restored.check(["1", "2", "3 of the first", "3 of the second"])


async def an_egress_can_be_stopped_twice_and_before_it_started(harness: EgressHarness) -> None:
    """A start that fails half-way stops everything."""
    await stop_in_time(harness.egress(AdapterContext()).stop(), harness.patience)
    egress = harness.egress(AdapterContext())
    await egress.start(MemoryOutbox(), None)
    await stop_in_time(egress.stop(), harness.patience)
    await stop_in_time(egress.stop(), harness.patience)


EGRESS_CHECKS: tuple[EgressCheck, ...] = (
    records_come_out_in_order_and_are_reported,
    every_record_is_counted,
    an_epoch_without_records_is_reported,
    what_is_reported_is_out,
    after_crashes_every_record_has_come_out,
    what_waits_at_a_stop_comes_out_once,
    what_was_removed_from_the_outbox_does_not_come_again,
    a_restored_runtime_goes_on,
    a_restored_runtime_is_not_taken_for_the_one_that_went_on,
    an_egress_can_be_stopped_twice_and_before_it_started,
)
"""All checks of an egress."""
