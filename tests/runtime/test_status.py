from collections.abc import AsyncIterator

import pytest

from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Arrival, EgressRecord, RecordCounts
from statefun_runtime.status import Status
from tests.runtime.driver_rig import EGRESS, A, Rig, effects, turns


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig(limits=Limits(high_water=2, outbox_limit=1000)).start()
    yield rig
    await rig.close()


def status(rig: Rig) -> Status:
    return Status(rig.driver, {"ingress": RecordCounts()}, {EGRESS: RecordCounts()})


async def test_a_full_egress_is_named_as_the_reason_of_the_pause(rig: Rig) -> None:
    rig.accept(A)
    await rig.endpoint.answer(effects(record=b"x" * 1000))
    batch = await rig.egress.batches.get()
    found = status(rig).as_json()
    assert found["paused"] == f"too many records wait for {EGRESS}"
    assert found["egress"][EGRESS]["waiting_bytes"] == status(rig).snapshot().outbox_bytes[EGRESS] == 1200
    assert status(rig).snapshot().ingresses_paused
    rig.outlet.released(batch.epoch)
    assert status(rig).as_json()["paused"] is None
    assert not status(rig).snapshot().ingresses_paused


async def test_the_function_that_is_behind_is_named_as_the_reason_of_the_pause(rig: Rig) -> None:
    rig.accept(A, A)
    assert status(rig).as_json()["paused"] == "more messages come than can be handled by test/f"


async def test_dead_letters_over_the_quota_are_named_as_the_reason_of_the_pause() -> None:
    rig = Rig(limits=Limits(disk_quota=5)).start()
    rig.accept(A)
    all_effects = effects()
    all_effects.egresses.append(EgressRecord("test/missing", b"record"))
    await rig.endpoint.answer(all_effects)
    await rig.driver.settle()
    assert status(rig).as_json()["paused"] == "what waits is over the disk quota, most of it dead letters"
    await rig.close()


async def test_the_position_of_an_ingress_is_shown_when_it_is_durable(rig: Rig) -> None:
    rig.store.open.clear()
    rig.inlet.accept([Arrival(A, b"1")], "7", b'{"offset": 42}')
    epoch = rig.inlet.accept([], "8", b"\xff\x00")
    await turns()
    assert status(rig).as_json()["ingress"]["ingress"]["positions"] == {}
    rig.store.open.set()
    await rig.inlet.durable(epoch)
    positions = {"7": {"offset": 42}, "8": "ff00"}
    assert status(rig).as_json()["ingress"]["ingress"]["positions"] == positions
    restarted = Rig(store=rig.store).start()
    assert status(restarted).as_json()["ingress"]["ingress"]["positions"] == positions
    await restarted.close()


async def test_the_connections_of_adapters_are_shown(rig: Rig) -> None:
    counts = RecordCounts()
    counts.connection.failed("brokers", "no broker can be reached")
    found = Status(rig.driver, {"ingress": RecordCounts()}, {EGRESS: counts}).as_json()
    assert found["ingress"]["ingress"]["connection"] is None
    assert found["egress"][EGRESS]["connection"]["state"] == "trying"


async def test_dead_letters_are_counted_when_they_are_durable(rig: Rig) -> None:
    rig.accept(A)
    all_effects = effects()
    all_effects.egresses.append(EgressRecord("test/missing", b"record"))
    await rig.endpoint.answer(all_effects)
    await rig.driver.settle()
    assert status(rig).as_json()["dead_letters"] == 1
    assert status(rig).snapshot().dead_letters == {"test/missing": 1}
