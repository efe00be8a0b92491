"""How many messages one call carries, and how many calls are under way."""

from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Address

from .steps import SEEN, A, B, C, accept, answer, call, commit, does, payloads, ready, value, world_of


def test_a_batch_carries_at_most_the_configured_number_of_messages() -> None:
    world = world_of(limits=Limits(max_batch=2))
    accept(world, A, b"1", b"2", b"3", b"4", b"5")
    for expected in ([b"1", b"2"], [b"3", b"4"], [b"5"]):
        answer(world, does(), expect=expected)


def test_a_function_type_may_have_a_batch_limit_of_its_own() -> None:
    world = world_of()
    world.engine.configure("test/f", max_in_flight=10, max_batch=1)
    accept(world, A, b"1", b"2")
    accept(world, C, b"1", b"2")
    assert sorted(len(batch.messages) for batch in ready(world)) == [1, 2]


def test_a_batch_carries_at_most_the_configured_bytes() -> None:
    world = world_of(limits=Limits(max_batch_bytes=10))
    accept(world, A, b"12345", b"67890", b"1")
    answer(world, does(), expect=[b"12345", b"67890"])
    answer(world, does(), expect=[b"1"])


def test_a_message_larger_than_the_limit_goes_alone() -> None:
    world = world_of(limits=Limits(max_batch_bytes=3))
    accept(world, A, b"large", b"large", b"1")
    for expected in ([b"large"], [b"large"], [b"1"]):
        answer(world, does(), expect=expected)


def test_calls_to_one_function_type_are_limited_and_the_rest_waits_its_turn() -> None:
    world = world_of(limits=Limits(max_in_flight=2))
    addresses: list[Address] = [("test/f", str(number)) for number in range(4)]
    for address in addresses:
        accept(world, address, b"1")
    first, second = ready(world)
    assert [first.target, second.target] == addresses[:2]
    world.reply(second, does())
    assert call(world).target == addresses[2]


def test_one_function_type_at_its_limit_does_not_hold_up_another() -> None:
    world = world_of(limits=Limits(max_in_flight=1))
    for address in (A, B, C):
        accept(world, address, b"1")
    assert [batch.target for batch in ready(world)] == [A, C]


def test_a_new_function_type_is_called_once_before_it_is_called_in_parallel() -> None:
    world = world_of()
    for number in range(3):
        accept(world, ("test/new", str(number)), b"1")
    answer(world, does())
    assert len(ready(world)) == 2


def test_a_batch_carries_every_declared_state_and_none_where_there_is_no_value() -> None:
    world = world_of(SEEN, SEEN._replace(name="other"))
    accept(world, A, b"1")
    answer(world, does(state={"seen": value("yes")}))
    accept(world, A, b"2")
    batch = call(world)
    assert batch.state == {"seen": value("yes"), "other": None}
    assert payloads(batch) == [b"2"]


def test_the_attempt_is_counted_in_the_batch() -> None:
    world = world_of()
    accept(world, A, b"1")
    assert call(world).attempt == 1
    commit(world)
