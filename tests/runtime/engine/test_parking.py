"""Addresses that are called no more until somebody resumes them, or the application starts again."""

import pytest

from statefun_runtime.engine.limits import OnFailure
from statefun_runtime.epoch import Parked
from statefun_runtime.interfaces import Failure, FailureKind, Send, Table
from statefun_runtime.store import keys, rows

from .failing import parked, policy, wait, with_message
from .steps import (
    PERMANENT,
    SEEN,
    TRANSIENT,
    A,
    B,
    C,
    accept,
    answer,
    commit,
    does,
    ready,
    restart,
    resume,
    resume_in_memory,
    tables,
    value,
    world_of,
)


def test_a_permanent_failure_parks_at_once_and_keeps_the_messages() -> None:
    world = with_message()
    accept(world, A, b"2")
    answer(world, PERMANENT)
    assert parked(world, A) == Parked(world.now, 1, PERMANENT.reason, FailureKind.PERMANENT, 2)
    accept(world, A, b"3")
    world.advance(10**9)
    assert ready(world) == []
    assert tables(commit(world)) == {"mailbox": 3, "parked": 1}


def test_others_go_on_while_an_address_is_parked() -> None:
    world = with_message()
    answer(world, PERMANENT)
    accept(world, B, b"1")
    answer(world, does(Send(A, b"to the parked one"), Send(C, b"2")))
    answer(world, does(), expect=[b"2"])


def test_a_resumed_address_gets_all_its_messages_in_order() -> None:
    world = with_message()
    accept(world, A, b"2")
    answer(world, PERMANENT)
    accept(world, A, b"3")
    assert resume(world, A)
    answer(world, does(), expect=[b"1", b"2", b"3"])


def test_a_resumed_address_has_all_its_attempts_again() -> None:
    world = with_message()
    answer(world, PERMANENT)
    resume(world, A)
    assert answer(world, TRANSIENT).attempt == 1
    assert 5 <= wait(world) <= 10


def test_only_a_parked_address_can_be_resumed() -> None:
    world = with_message()
    assert not resume_in_memory(world.engine, A)
    assert not resume(world, ("test/f", "never heard of"))
    answer(world, TRANSIENT)
    assert not resume(world, A)
    wait(world)
    answer(world, PERMANENT)
    assert resume(world, A)
    assert not resume(world, A)


def test_an_address_stays_parked_over_a_restart_and_its_reason_is_on_disk() -> None:
    world = with_message()
    answer(world, PERMANENT)
    restart(world)
    world.advance(10**9)
    accept(world, A, b"2")
    assert ready(world) == []
    [row] = world.store.get_many(Table.PARKED, [keys.address_key(A)])
    assert row is not None
    assert rows.read_parked(row).reason == PERMANENT.reason
    resume(world, A)
    answer(world, does(), expect=[b"1", b"2"])


def test_an_address_can_be_resumed_after_a_restart_before_its_state_was_loaded() -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    answer(world, does(state={"seen": value("yes")}))
    accept(world, A, b"2")
    answer(world, PERMANENT)
    restart(world, SEEN)
    assert not world.engine.open(A)
    assert not resume_in_memory(world.engine, A), "it is not known yet that it is parked"
    assert resume(world, A)
    assert answer(world, does(), expect=[b"2"]).state == {"seen": value("yes")}


def test_a_resumption_is_durable() -> None:
    world = with_message()
    answer(world, PERMANENT)
    commit(world)
    resume_in_memory(world.engine, A)
    assert commit(world).deletes == [(Table.PARKED, keys.address_key(A))]
    world.crash()
    answer(world, does(), expect=[b"1"])


def test_an_address_parked_and_resumed_in_one_epoch_is_not_parked_after_a_restart() -> None:
    world = with_message()
    answer(world, PERMANENT)
    resume_in_memory(world.engine, A)
    restart(world)
    answer(world, does(), expect=[b"1"])


def test_an_address_may_park_again() -> None:
    world = with_message()
    for _ in range(2):
        answer(world, PERMANENT)
        restart(world)
        assert resume(world, A)
    answer(world, does(), expect=[b"1"])
    restart(world)
    assert ready(world) == []


MISCONFIGURED = Failure(FailureKind.MISCONFIGURED, "no endpoint serves test/f")


@pytest.mark.parametrize("on_failure", OnFailure)
def test_an_application_that_is_wrong_parks_whatever_the_policy_and_is_tried_again_at_the_next_start(
    on_failure: OnFailure,
) -> None:
    world = with_message(policy(on_failure=on_failure, bisect=True))
    accept(world, A, b"2")
    answer(world, MISCONFIGURED)
    assert parked(world, A) == Parked(world.now, 1, MISCONFIGURED.reason, FailureKind.MISCONFIGURED, 2)
    assert world.engine.epoch.dead_letters == []
    accept(world, B, b"1")
    answer(world, PERMANENT, expect=[b"1"]) if on_failure is OnFailure.PARK else answer(world, does())
    restart(world)
    answer(world, MISCONFIGURED, expect=[b"1", b"2"])
    restart(world)
    answer(world, does(), expect=[b"1", b"2"])
    restart(world)
    assert A not in world.engine.epoch.parked
    assert world.engine.mailboxes.types["test/f"].parked == (on_failure is OnFailure.PARK)
