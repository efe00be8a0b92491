"""Addresses leave the memory when there are too many, and nobody can tell."""

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.mailbox import MAILBOX_BYTES
from statefun_runtime.interfaces import Address, Cancellation
from tests.simulation.world import World

from .steps import (
    CALLED,
    PERMANENT,
    SEEN,
    TRANSIENT,
    A,
    B,
    accept,
    answer,
    call,
    commit,
    declare,
    does,
    later,
    ready,
    resume,
    value,
    world_of,
)

NONE = Limits(cache_bytes=0)


def addresses(count: int) -> list[Address]:
    return [("test/f", str(number)) for number in range(count)]


def in_memory(world: World) -> set[Address]:
    found = {mailbox.address for mailbox in world.engine.mailboxes.in_memory()}
    assert len(found) == world.engine.mailboxes.addresses
    return found


def pass_commits(world: World, count: int = 2) -> None:
    """Commits that change nothing for the addresses of the test."""
    for _ in range(count):
        world.engine.accept("ingress", [], "", b"position")
        commit(world)


def test_idle_addresses_leave_the_memory_and_come_back_with_their_state() -> None:
    world = world_of(SEEN, limits=NONE)
    accept(world, A, b"1")
    answer(world, does(state={"seen": value("1")}))
    commit(world)
    pass_commits(world)
    assert in_memory(world) == set()
    accept(world, A, b"2")
    assert call(world).state == {"seen": value("1")}


def test_at_most_the_configured_number_of_idle_addresses_stays() -> None:
    world = world_of(limits=Limits(cache_bytes=10 * MAILBOX_BYTES))
    for address in addresses(100):
        accept(world, address, b"1")
    for batch in ready(world) + ready(world):
        world.reply(batch, does())
    for batch in ready(world):
        world.reply(batch, does())
    pass_commits(world, 3)
    assert len(in_memory(world)) == 10


def test_an_address_used_since_the_last_commit_stays_longer_than_one_that_was_not() -> None:
    world = world_of(limits=Limits(cache_bytes=1 * MAILBOX_BYTES))
    for address in (A, B):
        accept(world, address, b"1")
        answer(world, does())
    commit(world)
    assert in_memory(world) == {A, B}
    accept(world, A, b"2")
    answer(world, does())
    commit(world)
    assert in_memory(world) == {A}


def test_state_that_is_not_durable_is_not_evicted() -> None:
    world = world_of(SEEN, limits=NONE)
    accept(world, B, b"1")
    answer(world, does())
    for number in range(5):
        world.cut()
        accept(world, A, b"1")
        answer(world, does(state={"seen": value(str(number))}))
        world.commit()
        assert A in in_memory(world)
        accept(world, A, b"look")
        assert answer(world, does()).state == {"seen": value(str(number))}
    commit(world)
    pass_commits(world)
    assert in_memory(world) == set()
    assert world.state(A) == {"seen": value("4")}


def test_state_that_a_late_reply_wrote_while_a_commit_was_under_way_is_not_evicted_by_it() -> None:
    world = world_of(SEEN, limits=NONE)
    accept(world, A, b"1")
    batch = call(world)
    commit(world)
    accept(world, B, b"1")
    world.cut()
    world.reply(batch, does(state={"seen": value("late")}))
    world.commit()
    accept(world, A, b"2")
    assert {batch.target: batch.state for batch in ready(world)}[A] == {"seen": value("late")}


def test_addresses_with_a_call_under_way_stay_those_that_back_off_or_are_parked_come_back() -> None:
    world = world_of(limits=NONE)
    under_way, backing_off, parked = addresses(3)
    for address in (under_way, backing_off, parked):
        accept(world, address, b"1")
    first, second, third = ready(world)
    world.reply(second, TRANSIENT)
    world.reply(third, PERMANENT)
    pass_commits(world, 5)
    assert in_memory(world) == {under_way}
    world.reply(first, does())
    answer(world, does(), expect=[b"1"])
    assert resume(world, parked)
    answer(world, does(), expect=[b"1"])
    pass_commits(world)
    assert in_memory(world) == set()


def test_addresses_that_wait_for_their_state_or_their_turn_stay() -> None:
    world = world_of(limits=Limits(cache_bytes=0, max_in_flight=1))
    accept(world, A, b"1")
    accept(world, B, b"1")
    pass_commits(world, 3)
    assert in_memory(world) == {A, B}
    first = call(world)
    pass_commits(world, 3)
    world.reply(first, does())
    answer(world, does(), expect=[b"1"])


def test_tokens_and_times_of_an_evicted_address_are_kept() -> None:
    world = world_of(CALLED, limits=NONE)
    accept(world, A, b"1")
    answer(world, does(later(50, B, b"due", "t"), state={"called": value("1")}))
    commit(world)
    pass_commits(world)
    assert in_memory(world) == set()
    world.advance(40)
    accept(world, A, b"2")
    assert answer(world, does(Cancellation("t"))).state == {"called": value("1")}
    commit(world)
    pass_commits(world)
    world.advance(960)
    assert ready(world) == []
    accept(world, A, b"3")
    assert call(world).state == {"called": value("1")}


def test_an_address_evicted_after_its_values_were_deleted_comes_back_empty() -> None:
    world = world_of(SEEN, limits=NONE)
    for written in (value("1"), None):
        accept(world, A, b"1")
        answer(world, does(state={"seen": written}))
        commit(world)
        pass_commits(world)
    accept(world, A, b"2")
    assert call(world).state == {"seen": None}


def test_without_a_cache_a_run_ends_with_the_same_state_and_messages() -> None:
    def run(limits: Limits) -> tuple[list[dict[str, bytes]], dict[int, list[bytes]]]:
        world = world_of(SEEN, limits=limits)
        declare(world, SEEN)
        for round_number in range(20):
            for address in addresses(5)[round_number % 3 :]:
                accept(world, address, b"1")
            for batch in ready(world):
                history = TypedValue.FromString(batch.state["seen"] or b"").value.decode()
                world.reply(batch, does(state={"seen": value(f"{history} {round_number}")}))
            if round_number % 2:
                commit(world)
        return [world.state(address) for address in addresses(5)], world.written

    assert run(NONE) == run(Limits()) != ([{}] * 5, {})
