"""Operations on a running application: answered when they are durable, one after the other."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from statefun_runtime.engine.operator_actions import OperatorActions
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Failure, FailureKind
from statefun_runtime.operation import Action, Operation, Outcome, Target
from statefun_runtime.operation_runner import LiveOperations

from .driver_rig import A, Rig, effects, turns

PERMANENT = Failure(FailureKind.PERMANENT, "422")


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A driver with A parked."""
    started = Rig().start()
    started.accept(A, A)
    await started.endpoint.answer(PERMANENT)
    await started.driver.settle()
    yield started
    await started.close()


def ask(operations: LiveOperations, action: Action, *targets: Target) -> "asyncio.Task[list[Outcome]]":
    return asyncio.create_task(operations.perform(Operation(action, targets, "ann")))


async def test_the_answer_comes_when_the_operation_is_durable_and_not_before(rig: Rig) -> None:
    operations = LiveOperations(rig.driver, rig.store)
    rig.store.open.clear()
    asked = ask(operations, Action.SKIP, A)
    await turns()
    assert not asked.done()
    rig.store.open.set()
    assert [outcome.text for outcome in await asked] == ["1 message to the dead letters, resumed"]
    await rig.endpoint.answer(effects())


async def test_what_does_nothing_is_answered_at_once_and_commits_nothing(rig: Rig) -> None:
    await rig.driver.all_durable()
    commits = len(rig.store.commits)
    operations = LiveOperations(rig.driver, rig.store)
    [outcome] = await ask(operations, Action.DELETE, 77)
    assert (outcome.done, outcome.text) == (False, "is no dead letter")
    assert len(rig.store.commits) == commits


async def test_a_dead_letter_asked_for_twice_at_once_is_sent_again_once(rig: Rig) -> None:
    operations = LiveOperations(rig.driver, rig.store)
    await ask(operations, Action.PURGE, A)
    first, second = ask(operations, Action.RESEND, 1), ask(operations, Action.RESEND, 1)
    assert (await first)[0].done
    assert (await second)[0].text == "is no dead letter"
    batch = await rig.endpoint.answer(effects())
    assert len(batch.messages) == 1


async def test_an_operation_that_will_not_become_durable_is_an_error(rig: Rig) -> None:
    operations = LiveOperations(rig.driver, rig.store)
    rig.store.error = StoreError("disk full")
    with pytest.raises(StoreError, match="will not become durable: disk full"):
        await ask(operations, Action.SKIP, A)
    with pytest.raises(StoreError, match="has stopped taking messages"):
        await ask(operations, Action.SKIP, A)


async def test_an_operation_that_fails_half_way_ends_the_driver_and_nothing_of_it_is_committed(rig: Rig) -> None:
    commits = len(rig.store.commits)

    def half_way() -> None:
        OperatorActions(rig.engine, "ann").on_address(Action.RESUME, A)
        raise LookupError("a defect")

    with pytest.raises(StoreError, match="a defect"):
        await rig.driver.operate(half_way)
    with pytest.raises(LookupError):
        await rig.driver.failed()
    await turns()
    assert len(rig.store.commits) == commits
