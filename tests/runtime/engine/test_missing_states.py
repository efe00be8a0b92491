"""Functions that declare their states by refusing a call that lacks them."""

import pytest

from statefun_runtime.interfaces import MissingStates, Send, StateSpec, Table
from statefun_runtime.store.recovery import recover
from tests.simulation.world import World

from .steps import (
    CALLED,
    SEEN,
    WRITTEN,
    A,
    B,
    C,
    accept,
    answer,
    call,
    commit,
    does,
    ready,
    resume,
    tables,
    value,
    world_of,
)

OTHER = StateSpec("other", "test/text")


def asking(*missing: StateSpec) -> World:
    """A world in which nothing is declared and A was asked for states."""
    world = world_of()
    accept(world, A, b"1", b"2")
    answer(world, MissingStates(missing))
    return world


def test_the_same_messages_are_sent_again_in_order_with_the_states_they_lacked() -> None:
    world = asking(SEEN)
    accept(world, A, b"3")
    batch = answer(world, does(), expect=[b"1", b"2", b"3"])
    assert batch.state == {"seen": None}


def test_what_a_function_declared_is_durable() -> None:
    world = asking(SEEN, CALLED)
    assert tables(commit(world)) == {"mailbox": 2, "specs": 1}
    assert recover(world.store).specs == {"test/f": {"seen": SEEN, "called": CALLED}}


def test_after_a_start_the_first_call_carries_no_state_and_the_rest_waits_for_what_it_asks() -> None:
    world = asking(SEEN)
    answer(world, does(state={"seen": value("yes")}))
    commit(world)
    world.crash()
    accept(world, A, b"3")
    accept(world, B, b"1")
    batch = call(world)
    assert batch.state == {}
    world.reply(batch, MissingStates((SEEN, OTHER)))
    states = {batch.target: batch.state for batch in ready(world)}
    assert states == {A: {"seen": value("yes"), "other": None}, B: {"seen": None, "other": None}}


def test_after_a_start_states_that_are_not_asked_for_are_no_longer_declared() -> None:
    world = asking(SEEN, OTHER)
    commit(world)
    world.crash()
    answer(world, MissingStates((OTHER,)))
    assert call(world).state == {"other": None}
    commit(world)
    assert recover(world.store).specs == {"test/f": {"other": OTHER}}


def test_after_a_start_a_function_that_asks_for_nothing_has_its_effects_applied() -> None:
    world = asking(SEEN)
    commit(world)
    world.crash()
    answer(world, does(Send(C, b"x")), expect=[b"1", b"2"])
    assert call(world).target == C


def test_after_a_start_a_changed_expiration_takes_effect_on_values_that_are_there() -> None:
    world = asking(WRITTEN)
    answer(world, does(state={"written": value("old")}))
    commit(world)
    world.crash()
    world.advance(10)
    accept(world, A, b"3")
    answer(world, MissingStates((WRITTEN._replace(expire_after=10),)))
    assert call(world).state == {"written": None}


def test_when_asked_to_one_call_asks_and_the_others_go_on_with_the_states_they_have() -> None:
    world = world_of(SEEN)
    world.engine.ask("test/f")
    for target in (A, B, ("test/f", "d")):
        accept(world, target, b"1")
    asking, *others = ready(world)
    assert asking.state == {}
    assert [batch.state for batch in others] == [{"seen": None}] * 2
    world.reply(asking, MissingStates((SEEN, OTHER)))
    again = call(world)
    assert (again.target, again.state) == (A, {"seen": None, "other": None})
    for batch in (*others, again):
        world.reply(batch, does(state={"seen": value("yes")}))
    assert world.engine.epoch.parked == {}


def test_a_changed_expiration_takes_effect_when_the_function_is_asked() -> None:
    world = world_of(WRITTEN)
    accept(world, A, b"1")
    answer(world, does(state={"written": value("old")}))
    world.engine.ask("test/f")
    world.advance(10)
    accept(world, A, b"2")
    answer(world, MissingStates((WRITTEN._replace(expire_after=10),)))
    assert call(world).state == {"written": None}
    commit(world)
    assert recover(world.store).specs["test/f"] == {"written": WRITTEN._replace(expire_after=10)}


def test_a_state_that_is_not_named_when_the_function_is_asked_may_still_be_written() -> None:
    world = world_of(SEEN, OTHER)
    world.engine.ask("test/f")
    accept(world, A, b"1")
    accept(world, B, b"1")
    asking, older = ready(world)
    world.reply(asking, MissingStates((OTHER,)))
    world.reply(older, does(state={"seen": value("yes")}))
    assert world.engine.epoch.parked == {}


def test_asking_a_function_without_states_costs_no_call() -> None:
    world = world_of()
    world.engine.ask("test/f")
    accept(world, A, b"1")
    answer(world, does(Send(C, b"x")))
    assert call(world).target == C


def test_what_was_declared_earlier_stays_declared() -> None:
    world = asking(SEEN)
    answer(world, MissingStates((OTHER,)))
    assert call(world).state == {"seen": None, "other": None}


def test_other_addresses_of_the_function_type_need_not_ask_again() -> None:
    world = asking(SEEN)
    answer(world, does(state={"seen": value("yes")}))
    accept(world, B, b"1")
    assert call(world).state == {"seen": None}


def test_calls_that_were_under_way_without_the_new_state_may_write_it() -> None:
    world = world_of()
    accept(world, A, b"1")
    accept(world, B, b"1")
    first, second = ready(world)
    world.reply(first, MissingStates((SEEN,)))
    world.reply(second, does(state={"seen": value("yes")}))
    assert world.engine.epoch.parked == {}
    assert list(world.engine.epoch.state) == [B]


def test_function_types_do_not_share_declarations() -> None:
    world = asking(SEEN)
    accept(world, C, b"1")
    assert {batch.target: batch.state for batch in ready(world)} == {A: {"seen": None}, C: {}}


def test_a_changed_expiration_is_registered() -> None:
    world = asking(WRITTEN)
    answer(world, does(state={"written": value("old")}))
    commit(world)
    accept(world, A, b"3")
    answer(world, MissingStates((WRITTEN._replace(expire_after=10),)))
    answer(world, does())
    world.advance(10)
    accept(world, A, b"4")
    assert call(world).state == {"written": None}


def test_a_changed_type_parks_the_address_and_says_both_types() -> None:
    world = asking(SEEN)
    answer(world, MissingStates((StateSpec("seen", "test/number"),)))
    assert ready(world) == []
    parked = world.engine.epoch.parked[A]
    assert parked is not None
    assert parked.reason == "the function declares the state 'seen' as test/number, but it was test/text so far"


def test_a_type_that_changed_between_two_starts_parks_each_address_that_is_called() -> None:
    world = asking(SEEN)
    commit(world)
    world.crash()
    accept(world, B, b"1")
    commit(world)
    for address in (A, B):
        batch = answer(world, MissingStates((StateSpec("seen", "test/number"),)))
        assert batch.target == address
        assert address in world.engine.epoch.parked
    assert world.engine.mailboxes.runnable == 0


def test_declaring_a_changed_type_beforehand_is_an_error() -> None:
    world = world_of(SEEN)
    world.crash()
    with pytest.raises(ValueError, match="declares the state 'seen' as test/number, but it was test/text so far"):
        world.engine.declare("test/f", [StateSpec("seen", "test/number")])


def test_a_function_that_asks_again_and_again_is_parked_after_ten_rounds() -> None:
    world = asking(SEEN)
    for number in range(9):
        answer(world, MissingStates((StateSpec(f"state{number}", "test/text"),)))
    assert world.engine.epoch.parked == {}
    answer(world, MissingStates((StateSpec("one more", "test/text"),)))
    parked = world.engine.epoch.parked[A]
    assert parked is not None
    assert parked.reason == "the function asked 10 times in a row for more states"
    assert tables(commit(world)) == {"mailbox": 2, "parked": 1, "specs": 1}


def test_rounds_are_counted_in_a_row_and_per_address() -> None:
    world = asking(SEEN)
    for number in range(20):
        answer(world, MissingStates((StateSpec(f"state{number}", "test/text"),)))
        answer(world, does())
        accept(world, A, b"1")
    assert world.engine.epoch.parked == {}


def test_a_resumed_address_may_ask_ten_times_again() -> None:
    world = asking(SEEN)
    for number in range(10):
        answer(world, MissingStates((StateSpec(f"state{number}", "test/text"),)))
    resume(world, A)
    for number in range(10):
        answer(world, MissingStates((StateSpec(f"state{number + 10}", "test/text"),)))
    assert call(world).target == A


def test_a_function_that_asks_has_no_effect_and_counts_no_invocation() -> None:
    world = asking(SEEN)
    assert ready(world)[0].target == A
    assert world.engine.mailboxes.types["test/f"].invocations == 0
    world.reply(world.in_flight[0], does(Send(C, b"x")))
    assert world.engine.mailboxes.types["test/f"].invocations == 2


def test_a_value_of_a_state_that_is_no_longer_declared_is_kept() -> None:
    world = world_of(SEEN, OTHER)
    accept(world, A, b"1")
    answer(world, does(state={"seen": value("1"), "other": value("2")}))
    commit(world)
    world.crash()
    world.engine.declare("test/f", [OTHER])
    accept(world, A, b"2")
    assert answer(world, does(state={"other": value("3")})).state == {"other": value("2")}
    commit(world)
    assert world.state(A) == {"seen": value("1"), "other": value("3")}
    assert len(list(world.store.scan(Table.STATE))) == 1
