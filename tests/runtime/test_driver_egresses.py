"""When the driver hands records to egresses, and what becomes of those that are not released."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Table
from statefun_runtime.store.recovery import recover
from tests.runtime.driver_rig import EGRESS, A, Rig, effects, turns


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig().start()
    yield rig
    await rig.close()


async def test_records_reach_the_egress_after_their_commit_and_leave_the_outbox_after_their_release(rig: Rig) -> None:
    rig.store.open.clear()
    rig.accept(A)
    await rig.endpoint.answer(effects(record=b"out"))
    await turns()
    assert rig.egress.batches.empty()
    rig.store.open.set()
    batch = await rig.egress.batches.get()
    assert list(batch.records) == [b"out"]
    rig.outlet.released(batch.epoch, b"position")
    assert len(list(rig.store.scan(Table.OUTBOX))) == 1
    await rig.driver.settle()
    assert list(rig.store.scan(Table.OUTBOX)) == []
    assert recover(rig.store).sinks[EGRESS].position == b"position"


async def test_what_an_egress_says_before_all_have_started_begins_nothing_and_is_in_the_first_epoch(rig: Rig) -> None:
    rig.accept(A)
    await rig.driver.settle()
    restarted = Rig(store=rig.store).start()
    restarted.driver.outgoing.detach()
    restarted.outlet.released(0, b"position")
    await turns()
    assert restarted.endpoint.calls.empty()
    restarted.driver.outgoing.attach({EGRESS: restarted.egress})
    restarted.driver.wake()
    await restarted.endpoint.answer(effects(record=b"out"))
    await restarted.egress.batches.get()
    assert recover(rig.store).sinks[EGRESS].position == b"position"
    await restarted.close()


async def put_out(rig: Rig, record: bytes) -> None:
    """Let a function send a record, and commit it."""
    rig.accept(A)
    await rig.endpoint.answer(effects(record=record))
    await rig.driver.settle()


async def test_records_beyond_the_memory_of_an_egress_come_from_disk_in_order_as_it_releases() -> None:
    rig = Rig(limits=Limits(outbox_memory=450)).start()
    for number in range(5):
        await put_out(rig, b"%d" % number)
    await turns()
    got: list[bytes] = []
    for left in (4, 3, 2, 1, 0):
        assert rig.egress.batches.qsize() == min(2, left + 1)
        batch = await rig.egress.batches.get()
        got += batch.records
        rig.outlet.released(batch.epoch)
        await turns()
    assert got == [b"0", b"1", b"2", b"3", b"4"]
    await rig.close()


async def test_after_a_restart_an_egress_is_handed_what_it_did_not_release(rig: Rig) -> None:
    await put_out(rig, b"out")
    restarted = Rig(store=rig.store, limits=Limits(outbox_memory=0)).start()
    restarted.driver.wake()
    batch = await restarted.egress.batches.get()
    assert (batch.lineage, batch.records) == (rig.engine.lineage, [b"out"])
    await restarted.close()


async def test_a_full_egress_keeps_ingresses_waiting_until_it_releases(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig(limits=Limits(outbox_limit=300)).start()
    for record in (b"1", b"2"):
        await put_out(rig, record)
    waiting = asyncio.ensure_future(rig.inlet.room())
    await turns()
    assert not waiting.done()
    [warning] = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert f"the egress {EGRESS} has 402 bytes of records" in warning
    rig.outlet.released((await rig.egress.batches.get()).epoch)
    await waiting
    await rig.close()


async def test_records_that_are_durable_before_the_egresses_are_ready_reach_them_later(rig: Rig) -> None:
    rig.driver.outgoing.detach()
    await put_out(rig, b"early")
    rig.driver.outgoing.attach({EGRESS: rig.egress})
    rig.driver.wake()
    assert (await rig.egress.batches.get()).records == [b"early"]


async def test_an_egress_that_was_detached_is_handed_nothing_more(rig: Rig) -> None:
    rig.driver.outgoing.detach()
    await put_out(rig, b"out")
    assert rig.egress.batches.empty()
    assert len(list(rig.store.scan(Table.OUTBOX))) == 1


async def test_an_egress_that_raises_ends_the_driver(rig: Rig) -> None:
    rig.egress.error = ValueError("an egress must not raise")
    rig.accept(A)
    await rig.endpoint.answer(effects(record=b"out"))
    with pytest.raises(ValueError, match="must not raise"):
        await rig.driver.failed()
