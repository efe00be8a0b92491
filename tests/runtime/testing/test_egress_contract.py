"""The contract of egresses finds every known mistake. Each class makes one."""

import asyncio
from pathlib import Path

import pytest

from statefun_runtime.errors import EgressError
from statefun_runtime.interfaces import AdapterContext, Egress, OutboxBatch
from statefun_runtime.testing import PATIENCE, ContractError, EgressCheck
from statefun_runtime.testing.egress_contract import (
    a_restored_runtime_goes_on,
    a_restored_runtime_is_not_taken_for_the_one_that_went_on,
    after_crashes_every_record_has_come_out,
    an_egress_can_be_stopped_twice_and_before_it_started,
    an_epoch_without_records_is_reported,
    every_record_is_counted,
    records_come_out_in_order_and_are_reported,
    what_is_reported_is_out,
    what_waits_at_a_stop_comes_out_once,
    what_was_removed_from_the_outbox_does_not_come_again,
)
from tests.contracts.memory import MemoryEgress, MemorySink


class ReportsEarly(MemoryEgress):
    """When a batch comes, before it is written."""

    def write(self, batch: OutboxBatch) -> None:
        self.outlet.released(batch.epoch)
        super().write(batch)


class IgnoresTheLineage(MemoryEgress):
    def is_known(self, batch: OutboxBatch) -> bool:
        return batch.epoch <= max(self.sink.epochs.values(), default=0)


class DoublesAfterACrash(MemoryEgress):
    def is_known(self, batch: OutboxBatch) -> bool:
        return False


class WritesTheEpochAfterTheReport(MemoryEgress):
    """Not together with the records, so that a crash between the two doubles them."""

    async def run(self) -> None:
        while True:
            await self.arrived.wait()
            self.arrived.clear()
            while self.waiting:
                batch = self.waiting.pop(0)
                known = dict(self.sink.epochs)
                self.put(batch)
                written, self.sink.epochs = self.sink.epochs, known
                self.outlet.released(batch.epoch)
                self.sink.epochs = written


class SkipsWhatIsNewAfterARestart(MemoryEgress):
    """Takes the first epoch for one that was written before."""

    is_new = False

    def is_known(self, batch: OutboxBatch) -> bool:
        known, self.is_new = bool(self.sink.epochs) and not self.is_new, True
        return known


class LosesTheOrderOfRecords(MemoryEgress):
    def append(self, batch: OutboxBatch) -> None:
        super().append(batch._replace(records=batch.records[::-1]))


class WritesTheLastEpochFirst(MemoryEgress):
    """All is well while each epoch is waited for."""

    def write(self, batch: OutboxBatch) -> None:
        self.waiting.insert(0, batch)
        self.arrived.set()


class WaitsForAFurtherEpoch(MemoryEgress):
    def write(self, batch: OutboxBatch) -> None:
        self.waiting.append(batch)
        if len(self.waiting) > 1:
            self.arrived.set()


class ReportsNoEmptyEpoch(MemoryEgress):
    def write(self, batch: OutboxBatch) -> None:
        if batch.records:
            super().write(batch)


class CountsNothing(MemoryEgress):
    def __init__(self, sink: MemorySink, context: AdapterContext) -> None:
        super().__init__(sink, AdapterContext())


class Ends(MemoryEgress):
    async def run(self) -> None:
        """Return at once, as if all were done."""


class Fails(MemoryEgress):
    async def run(self) -> None:
        raise EgressError("the table is gone")


class RefusesEveryRestart(MemoryEgress):
    async def run(self) -> None:
        if self.sink.values:
            raise EgressError("somebody has written")
        await super().run()


class NeverStops(MemoryEgress):
    async def stop(self) -> None:
        await asyncio.Event().wait()


SHORT = 0.2
"""Seconds of patience where they pass in vain."""


def harness_of(broken: type[MemoryEgress], seconds: float = PATIENCE) -> type[MemorySink]:
    class Harness(MemorySink):
        patience = seconds

        def egress(self, context: AdapterContext) -> Egress:
            return broken(self, context)

    return Harness


@pytest.mark.parametrize(
    ("broken", "check", "text"),
    [
        (ReportsEarly, what_is_reported_is_out, "epoch 1 was reported before its records were out"),
        (IgnoresTheLineage, a_restored_runtime_is_not_taken_for_the_one_that_went_on, "should be .*'3 of the second'"),
        (DoublesAfterACrash, after_crashes_every_record_has_come_out, r"\['1', '2', '1', '2'"),
        (DoublesAfterACrash, what_waits_at_a_stop_comes_out_once, "they should be"),
        (WritesTheEpochAfterTheReport, after_crashes_every_record_has_come_out, r"\['1', '2', '1', '2'"),
        (SkipsWhatIsNewAfterARestart, what_was_removed_from_the_outbox_does_not_come_again, "should be .*'last'"),
        (LosesTheOrderOfRecords, records_come_out_in_order_and_are_reported, r"\['2', '1'"),
        (WritesTheLastEpochFirst, what_waits_at_a_stop_comes_out_once, "epoch 3 was reported after 4"),
        (CountsNothing, every_record_is_counted, "7 records went out, but counted were"),
        (Ends, records_come_out_in_order_and_are_reported, "`run` has returned"),
    ],
)
async def test_every_mistake_of_an_egress_is_found(
    broken: type[MemoryEgress], check: EgressCheck, text: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=text):
        await check(harness_of(broken)(tmp_path))


@pytest.mark.parametrize(
    ("broken", "check", "text"),
    [
        (WaitsForAFurtherEpoch, records_come_out_in_order_and_are_reported, "did not happen that epoch 1 was reported"),
        (ReportsNoEmptyEpoch, an_epoch_without_records_is_reported, "did not happen that epoch 1 was reported"),
        (NeverStops, an_egress_can_be_stopped_twice_and_before_it_started, "`stop` did not return"),
    ],
)
async def test_a_mistake_that_shows_by_nothing_happening_is_found(
    broken: type[MemoryEgress], check: EgressCheck, text: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=text):
        await check(harness_of(broken, SHORT)(tmp_path))


@pytest.mark.parametrize("broken", [Fails, RefusesEveryRestart])
async def test_what_an_egress_raises_ends_a_check_at_once(broken: type[MemoryEgress], tmp_path: Path) -> None:
    with pytest.raises(EgressError, match=r"the table is gone|somebody has written"):
        await a_restored_runtime_goes_on(harness_of(broken)(tmp_path))
