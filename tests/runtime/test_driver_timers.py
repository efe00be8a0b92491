"""When the driver wakes by itself: timers fire when the test moves the clock."""

from collections.abc import AsyncIterator

import pytest

from statefun_runtime.interfaces import (
    DelayedSend,
    Failure,
    FailureKind,
)
from tests.runtime.driver_rig import A, B, HandTimers, Rig, effects, turns


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig().start()
    yield rig
    await rig.close()


async def delayed_by(rig: Rig, *delays: int) -> None:
    """Let A send delayed messages to B."""
    rig.accept(A)
    reply = effects()
    reply.delayed += [DelayedSend(delay, B, b"%d" % delay, "") for delay in delays]
    await rig.endpoint.answer(reply)
    await rig.driver.settle()
    await turns()


async def test_the_driver_sleeps_until_the_next_delayed_message_and_delivers_it_then(rig: Rig) -> None:
    timers = HandTimers(rig.clock)
    await delayed_by(rig, 5000, 3000)
    assert timers.due()[-1:] == [3000]
    await timers.advance(2999)
    assert rig.endpoint.calls.empty()
    await timers.advance(1)
    batch = await rig.endpoint.answer(effects())
    assert batch.messages[0][3] == b"3000"
    await rig.driver.settle()
    await turns()
    assert timers.due()[-1:] == [2000]


async def test_the_driver_sleeps_until_the_end_of_a_back_off(rig: Rig) -> None:
    timers = HandTimers(rig.clock)
    rig.accept(A)
    await rig.endpoint.answer(Failure(FailureKind.TRANSIENT, "503", retry_after=7000))
    await turns()
    assert timers.due()[-1:] == [7000]
    await timers.advance(7000)
    assert (await rig.endpoint.answer(effects())).attempt == 2


async def test_an_idle_driver_sets_no_timer(rig: Rig) -> None:
    timers = HandTimers(rig.clock)
    rig.driver.wake()
    await turns()
    assert timers.due() == []


async def test_commits_are_at_least_the_interval_apart() -> None:
    rig = Rig(commit_interval=3600).start()
    timers = HandTimers(rig.clock)
    await rig.inlet.durable(rig.accept(A))
    rig.accept(A)
    await turns()
    assert len(rig.store.commits) == 1
    [due] = timers.due()
    assert 3_500_000 < due <= 3_600_000
    epoch = rig.engine.epoch.number
    await timers.advance(due)
    await rig.inlet.durable(epoch)
    assert len(rig.store.commits) == 2
    await rig.close()


async def test_figures_of_commits_count_rows_and_seconds(rig: Rig) -> None:
    await rig.inlet.durable(rig.accept(A, B))
    assert rig.driver.commits.rows == sum(len(c.puts) + len(c.deletes) for c in rig.store.commits) > 2
    assert len(rig.driver.commits.recent) == 1
