from collections.abc import AsyncIterator

import pytest

from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import RecordCounts
from statefun_runtime.status import Status
from tests.runtime.driver_rig import EGRESS, A, Rig, effects


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


async def test_the_function_with_most_messages_is_named_as_the_reason_of_the_pause(rig: Rig) -> None:
    rig.accept(A, A)
    assert status(rig).as_json()["paused"] == "2 messages can be handled, most of them by test/f"
