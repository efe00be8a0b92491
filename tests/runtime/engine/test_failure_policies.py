"""What policies say of failed calls, and the messages that are put aside as dead letters."""

from statefun_runtime.engine.limits import FailurePolicy, Limits, OnFailure
from statefun_runtime.interfaces import FailureKind

from .failing import parked, policy, wait, with_message
from .steps import (
    PERMANENT,
    SEEN,
    TRANSIENT,
    A,
    accept,
    answer,
    call,
    commit,
    does,
    payloads,
    ready,
    tables,
    value,
    world_of,
)


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
