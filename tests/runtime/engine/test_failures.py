"""Failed calls: who waits, who parks, and that the rest goes on."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.engine.failures import RetryPolicy
from statefun_runtime.engine.limits import FailurePolicy, Limits, OnFailure
from statefun_runtime.epoch import Parked
from statefun_runtime.interfaces import Batch, Effects, Failure, FailureKind, Send, Table
from statefun_runtime.store import keys, rows
from statefun_runtime.store.queries import read_messages
from tests.simulation.world import World

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
    payloads,
    ready,
    restart,
    resume,
    resume_in_memory,
    tables,
    value,
    world_of,
)

FEW = Limits(max_attempts=3, max_age=1000, retry_min=10, retry_max=100)


def with_message(limits: Limits | None = None) -> World:
    world = world_of(limits=limits)
    accept(world, A, b"1")
    return world


def wait(world: World) -> int:
    """Move time to the next thing that happens; the milliseconds it took."""
    due = world.engine.next_time()
    assert due is not None
    before = world.now
    world.advance(due - world.now)
    return world.now - before


def parked(world: World, address: tuple[str, str]) -> Parked:
    found = world.engine.epoch.parked[address]
    assert found is not None
    return found


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


# ---------------------------------------------------------------------------------------------------------- permanent


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


# ------------------------------------------------------------------------------------------------------ misconfigured


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


# ----------------------------------------------------------------------------------------------------------- policies


def policy(
    *, on_failure: OnFailure = OnFailure.PARK, bisect: bool = False, max_attempts: int = 3, max_age: int = 1000
) -> Limits:
    """Limits under which the functions of `test` have a policy."""
    found = FailurePolicy(on_failure, max_attempts, max_age, bisect)
    return Limits(policies={"test/*": found}, retry_min=10, retry_max=100)


def test_the_policy_of_a_type_wins_over_that_of_its_namespace_and_this_over_the_default() -> None:
    own, of_all = FailurePolicy(max_attempts=1), FailurePolicy(max_attempts=2)
    limits = Limits(policies={"test/f": own, "test/*": of_all}, max_attempts=7, max_age=8)
    assert limits.policy_of("test/f") is own
    assert limits.policy_of("test/g") is of_all
    assert limits.policy_of("other/f") == FailurePolicy(OnFailure.PARK, 7, 8, bisect=False)


def test_attempts_and_age_of_the_policy_hold() -> None:
    world = with_message(policy(max_attempts=1, max_age=0))
    answer(world, TRANSIENT)
    assert parked(world, A).kind is FailureKind.TRANSIENT


def test_a_message_that_fails_for_good_is_put_aside_with_its_state_and_the_next_one_is_delivered() -> None:
    world = world_of(SEEN, limits=policy(on_failure=OnFailure.DEAD_LETTER))
    accept(world, A, b"0")
    answer(world, does(state={"seen": value("yes")}))
    accept(world, A, b"poison")
    batch = call(world)
    accept(world, A, b"2")
    world.reply(batch, PERMANENT)
    answer(world, does(), expect=[b"2"])
    [letter] = world.engine.epoch.dead_letters
    assert (letter.message[3], letter.attempts, letter.reason) == (b"poison", 1, PERMANENT.reason)
    assert letter.state == {"seen": (world.now, value("yes"))}
    commit(world)
    assert world.rows_left() == {}


def test_a_dead_letter_is_durable_with_the_consumption_of_its_message() -> None:
    world = with_message(policy(on_failure=OnFailure.DEAD_LETTER))
    commit(world)
    answer(world, PERMANENT)
    assert tables(commit(world)) == {"mailbox": 1, "dead_letters": 1}
    world.crash()
    assert ready(world) == []


def test_a_transient_failure_is_put_aside_after_its_attempts_and_the_next_message_has_all_of_them_again() -> None:
    world = with_message(policy(on_failure=OnFailure.DEAD_LETTER, max_age=0))
    for _ in range(2):
        answer(world, TRANSIENT)
        wait(world)
    answer(world, TRANSIENT)
    assert [letter.attempts for letter in world.engine.epoch.dead_letters] == [3]
    accept(world, A, b"2")
    assert answer(world, TRANSIENT, expect=[b"2"]).attempt == 1
    wait(world)
    answer(world, does(), expect=[b"2"])


def test_without_bisecting_the_whole_batch_is_put_aside_in_order() -> None:
    world = with_message(policy(on_failure=OnFailure.DEAD_LETTER))
    accept(world, A, b"2", b"3")
    answer(world, PERMANENT, expect=[b"1", b"2", b"3"])
    assert [letter.message[3] for letter in world.engine.epoch.dead_letters] == [b"1", b"2", b"3"]


def test_counts_are_right_after_messages_were_put_aside() -> None:
    world = with_message(policy(on_failure=OnFailure.DEAD_LETTER, bisect=True))
    accept(world, A, b"2", b"3")
    world.function = lambda batch: PERMANENT if b"2" in payloads(batch) else does()
    world.run()
    assert (world.engine.mailboxes.queued, world.engine.pending) == (0, 0)


# ---------------------------------------------------------------------------------------------------------- bisecting


def bisected(world: World, poison: set[bytes]) -> tuple[list[list[bytes]], list[bytes]]:
    """Run until nothing is left to do; all calls, and the messages that passed in order."""
    calls: list[list[bytes]] = []
    passed: list[bytes] = []

    def function(batch: Batch) -> Effects | Failure:
        calls.append(payloads(batch))
        if poison & set(payloads(batch)):
            return PERMANENT
        passed.extend(payloads(batch))
        return does()

    world.function = function
    world.run()
    return calls, passed


def test_a_batch_is_split_until_the_poison_message_is_alone() -> None:
    world = with_message(policy(on_failure=OnFailure.DEAD_LETTER, bisect=True))
    accept(world, A, *[b"%d" % n for n in range(2, 9)])
    calls, passed = bisected(world, {b"6"})
    assert [[int(payload) for payload in each] for each in calls] == [
        [1, 2, 3, 4, 5, 6, 7, 8],
        [1, 2, 3, 4],
        [5, 6],
        [5],
        [6],
        [7, 8],
    ]
    assert passed == [b"1", b"2", b"3", b"4", b"5", b"7", b"8"]
    assert world.rows_left() == {}


@given(st.integers(1, 40), st.data())
def test_every_poison_message_is_put_aside_alone_and_the_others_pass_in_order(count: int, data: st.DataObject) -> None:
    everything = [b"%d" % n for n in range(count)]
    poison = data.draw(st.sets(st.sampled_from(everything)))
    world = world_of(limits=policy(on_failure=OnFailure.DEAD_LETTER, bisect=True))
    accept(world, A, *everything)
    calls, passed = bisected(world, poison)
    assert passed == [payload for payload in everything if payload not in poison]
    letters = [rows.read_dead_letter(0, row).message[3] for _, row in world.store.scan(Table.DEAD_LETTERS)]
    assert letters == [payload for payload in everything if payload in poison]
    assert len(calls) <= 1 + len(poison) * (2 + count.bit_length()), "logarithmic in the batch"


def test_parking_bisects_too_and_the_address_parks_at_the_poison_message() -> None:
    world = with_message(policy(bisect=True))
    accept(world, A, b"2", b"poison", b"4")
    _, passed = bisected(world, {b"poison"})
    assert passed == [b"1", b"2"]
    [row] = world.store.get_many(Table.PARKED, [keys.address_key(A)])
    assert row is not None
    assert rows.read_parked(row).messages == 1
    assert [message[3] for message in read_messages(world.store, A, 0, 10)[0]] == [b"poison", b"4"]


def test_messages_that_came_during_bisecting_stay_behind() -> None:
    world = with_message(policy(on_failure=OnFailure.DEAD_LETTER, bisect=True))
    accept(world, A, b"poison")
    answer(world, PERMANENT, expect=[b"1", b"poison"])
    accept(world, A, b"3")
    _, passed = bisected(world, {b"poison"})
    assert passed == [b"1", b"3"]


def test_attempts_that_are_used_up_are_so_for_each_part() -> None:
    world = with_message(policy(on_failure=OnFailure.DEAD_LETTER, bisect=True, max_age=0))
    accept(world, A, b"2", b"3", b"4")
    for _ in range(3):
        answer(world, TRANSIENT, expect=[b"1", b"2", b"3", b"4"])
        assert wait(world) <= 40
    answer(world, TRANSIENT, expect=[b"1", b"2"])
    wait(world)
    answer(world, does(), expect=[b"1"])
    answer(world, TRANSIENT, expect=[b"2"])
    assert [letter.message[3] for letter in world.engine.epoch.dead_letters] == [b"2"]
    assert answer(world, TRANSIENT, expect=[b"3", b"4"]).attempt == 1, "the rest begins anew"


def test_a_batch_whose_parts_all_pass_is_bisected_no_more() -> None:
    world = with_message(policy(bisect=True))
    accept(world, A, b"2")
    answer(world, PERMANENT, expect=[b"1", b"2"])
    wait(world)
    answer(world, does(), expect=[b"1"])
    answer(world, does(), expect=[b"2"])
    accept(world, A, b"3", b"4", b"5")
    answer(world, does(), expect=[b"3", b"4", b"5"])


def test_bisecting_is_forgotten_in_a_crash_and_begins_anew() -> None:
    world = with_message(policy(on_failure=OnFailure.DEAD_LETTER, bisect=True))
    accept(world, A, b"poison")
    answer(world, PERMANENT, expect=[b"1", b"poison"])
    restart(world)
    _, passed = bisected(world, {b"poison"})
    assert passed == [b"1"]
    assert world.rows_left() == {}
