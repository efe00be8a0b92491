"""A function that has another name now: what was sent to the old one reaches it."""

from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Cancellation, DelayedSend, Send
from statefun_runtime.store.renaming import rename_function
from tests.simulation.world import World

from .steps import PERMANENT, SEEN, A, C, accept, answer, commit, declare, does, later, ready, value, world_of

NOW = ("test/g", "a")


def rename(world: World) -> None:
    """Stop, and start with test/g as the name of what was test/f."""
    commit(world)
    world.limits = Limits(aliases={"test/f": "test/g"})
    rename_function(world.store, "test/f", "test/g")
    world.crash()
    declare(world, SEEN)


def test_state_and_waiting_messages_are_those_of_the_new_name() -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    answer(world, does(state={"seen": value("yes")}))
    accept(world, A, b"2")
    rename(world)
    batch = answer(world, does(), expect=[b"2"])
    assert (batch.target, batch.state) == (NOW, {"seen": value("yes")})
    assert ready(world) == []


def test_whoever_sends_to_the_old_name_reaches_the_new_one() -> None:
    world = world_of(SEEN)
    accept(world, C, b"go")
    answer(world, does(DelayedSend(50, A, b"delayed before", "")))
    rename(world)
    accept(world, A, b"from an ingress")
    answer(world, does(), expect=[b"from an ingress"])
    accept(world, C, b"go")
    answer(world, does(Send(A, b"from a function")))
    assert answer(world, does(), expect=[b"from a function"]).target == NOW
    world.advance(50)
    assert answer(world, does(), expect=[b"delayed before"]).target == NOW


def test_a_delayed_message_is_cancelled_by_its_sender_under_the_new_name() -> None:
    world = world_of(SEEN)
    accept(world, A, b"go")
    answer(world, does(later(50, C, b"never", "token")))
    rename(world)
    accept(world, A, b"cancel")
    answer(world, does(Cancellation("token")))
    commit(world)
    world.advance(50)
    assert ready(world) == []


def test_a_token_is_free_again_when_its_message_has_fired_under_the_new_name() -> None:
    world = world_of(SEEN)
    accept(world, A, b"go")
    answer(world, does(later(50, C, b"fired", "token")))
    rename(world)
    world.advance(50)
    answer(world, does(), expect=[b"fired"])
    accept(world, A, b"again")
    answer(world, does(later(50, C, b"second", "token")))
    commit(world)
    world.advance(50)
    answer(world, does(), expect=[b"second"])


def test_an_address_that_is_parked_stays_so() -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    answer(world, PERMANENT)
    rename(world)
    assert ready(world) == []
    assert world.engine.mailboxes.types["test/g"].parked == 1
