"""Failed calls: who is called again when, and that the rest goes on."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.engine.failures import RetryPolicy
from statefun_runtime.engine.limits import Limits
from statefun_runtime.epoch import Parked
from statefun_runtime.interfaces import Failure, FailureKind

from .failing import FEW, parked, wait, with_message
from .steps import (
    PERMANENT,
    SEEN,
    TRANSIENT,
    UNREACHABLE,
    A,
    B,
    C,
    accept,
    answer,
    call,
    commit,
    declare,
    does,
    ready,
    restart,
    resume,
    value,
    world_of,
)


@pytest.mark.parametrize("failure", [TRANSIENT, UNREACHABLE, PERMANENT], ids=lambda failure: failure.kind.value)
def test_a_failed_call_leaves_state_and_messages_as_they_were(failure: Failure) -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    answer(world, does(state={"seen": value("yes")}))
    commit(world)
    accept(world, A, b"2")
    answer(world, failure)
    assert world.engine.mailboxes.types["test/f"].failures == 1
    world.cut()
    world.commit_and_crash()
    declare(world, SEEN)
    resume(world, A)
    assert answer(world, does(), expect=[b"2"]).state == {"seen": value("yes")}


# ---------------------------------------------------------------------------------------------------------- transient


@given(st.integers(1, 2000), st.integers(1, 10_000), st.integers(0, 1_000_000), st.integers())
def test_a_delay_doubles_with_each_attempt_and_jitters_down_to_its_half(
    attempts: int, retry_min: int, more: int, seed: int
) -> None:
    limits = Limits(retry_min=retry_min, retry_max=retry_min + more)
    ceiling = min(retry_min * 2 ** (attempts - 1), limits.retry_max)
    assert ceiling // 2 <= RetryPolicy(limits, Random(seed)).delay(attempts, TRANSIENT) <= ceiling


def test_delays_of_many_addresses_are_spread() -> None:
    policy = RetryPolicy(Limits(), Random(1))
    assert len({policy.delay(20, TRANSIENT) for _ in range(100)}) > 90


def test_a_transient_failure_is_tried_again_after_a_delay_that_grows() -> None:
    world = with_message()
    for attempt in range(1, 8):
        assert answer(world, TRANSIENT, expect=[b"1"]).attempt == attempt
        assert ready(world) == []
        ceiling = 10 * 2 ** (attempt - 1)
        assert ceiling // 2 <= wait(world) <= ceiling
    answer(world, does(), expect=[b"1"])


def test_a_success_begins_the_back_off_anew() -> None:
    world = with_message()
    for _ in range(5):
        answer(world, TRANSIENT)
        wait(world)
    answer(world, does())
    accept(world, A, b"2")
    assert answer(world, TRANSIENT).attempt == 1
    assert wait(world) <= 10


def test_the_function_may_ask_for_a_longer_delay() -> None:
    world = with_message()
    answer(world, Failure(FailureKind.TRANSIENT, "503", retry_after=5000))
    assert wait(world) == 5000


def test_the_function_cannot_ask_for_a_shorter_delay() -> None:
    world = with_message()
    answer(world, Failure(FailureKind.TRANSIENT, "503", retry_after=0))
    assert wait(world) >= 5


def test_others_go_on_while_an_address_backs_off() -> None:
    world = with_message()
    answer(world, TRANSIENT)
    accept(world, B, b"1")
    answer(world, does(), expect=[b"1"])


def test_a_transient_failure_parks_after_enough_attempts_and_enough_time() -> None:
    world = with_message(FEW)
    for _ in range(2):
        answer(world, TRANSIENT)
        wait(world)
    answer(world, TRANSIENT)
    assert world.engine.epoch.parked == {}, "three attempts, but not for a second"
    world.advance(1000)
    answer(world, TRANSIENT)
    assert parked(world, A) == Parked(world.now, 4, TRANSIENT.reason, FailureKind.TRANSIENT, 1)
    assert ready(world) == []


def test_time_alone_does_not_park() -> None:
    world = with_message(FEW)
    for _ in range(2):
        answer(world, TRANSIENT)
        world.advance(1_000_000)
    assert world.engine.epoch.parked == {}
    answer(world, TRANSIENT)
    assert parked(world, A).attempts == 3


def test_attempts_start_anew_after_a_restart() -> None:
    world = with_message(FEW)
    for _ in range(2):
        answer(world, TRANSIENT)
        world.advance(1000)
    restart(world)
    answer(world, TRANSIENT)
    assert world.engine.epoch.parked == {}


# -------------------------------------------------------------------------------------------------------- unreachable


def test_an_unreachable_endpoint_pauses_all_of_its_function_type() -> None:
    world = with_message()
    answer(world, UNREACHABLE)
    accept(world, B, b"1")
    assert ready(world) == []


def test_other_function_types_go_on_while_one_is_paused() -> None:
    world = with_message()
    answer(world, UNREACHABLE)
    accept(world, C, b"1")
    answer(world, does(), expect=[b"1"])


def test_after_a_pause_one_call_probes_and_the_rest_follows_its_success() -> None:
    world = with_message()
    accept(world, B, b"1")
    accept(world, ("test/f", "d"), b"1")
    for batch in ready(world):
        world.reply(batch, UNREACHABLE)
    wait(world)
    probe = call(world)
    assert ready(world) == []
    world.reply(probe, does())
    assert len(ready(world)) == 2


def test_a_failing_probe_lengthens_the_pause_and_calls_that_fail_together_count_once() -> None:
    world = with_message()
    accept(world, B, b"1")
    for batch in ready(world):
        world.reply(batch, UNREACHABLE)
    assert 5 <= wait(world) <= 10
    answer(world, UNREACHABLE)
    assert 10 <= wait(world) <= 20
    answer(world, UNREACHABLE)
    assert 20 <= wait(world) <= 40


@pytest.mark.parametrize("failure", [TRANSIENT, PERMANENT], ids=lambda failure: failure.kind.value)
def test_a_probe_that_is_answered_with_a_failure_lets_the_other_addresses_go_on(failure: Failure) -> None:
    world = with_message()
    for target in (B, ("test/f", "d")):
        accept(world, target, b"1")
    for batch in ready(world):
        world.reply(batch, UNREACHABLE)
    wait(world)
    answer(world, failure)
    assert len(ready(world)) == 2


def test_an_unreachable_endpoint_never_parks_anybody() -> None:
    world = with_message(FEW)
    for _ in range(50):
        answer(world, UNREACHABLE, expect=[b"1"])
        world.advance(1_000_000)
    assert world.engine.epoch.parked == {}
    answer(world, does(), expect=[b"1"])


def test_what_nobody_answered_does_not_count_when_the_endpoint_is_back_and_fails() -> None:
    world = with_message(FEW)
    for _ in range(50):
        answer(world, UNREACHABLE)
        world.advance(1_000_000)
    for _ in range(2):
        answer(world, TRANSIENT)
        world.advance(1_000_000)
    assert world.engine.epoch.parked == {}
    answer(world, TRANSIENT)
    assert parked(world, A).attempts == 3


def test_order_holds_over_a_pause() -> None:
    world = with_message()
    batch = call(world)
    accept(world, A, b"2")
    world.reply(batch, UNREACHABLE)
    accept(world, A, b"3")
    wait(world)
    answer(world, does(), expect=[b"1", b"2", b"3"])
