"""State values that expire: after a write, or after a call."""

import pytest

from statefun_runtime.interfaces import StateSpec, Table
from statefun_runtime.store import keys
from tests.simulation.world import World

from .steps import (
    CALLED,
    PERMANENT,
    SEEN,
    TRANSIENT,
    WRITTEN,
    A,
    accept,
    answer,
    call,
    commit,
    declare,
    does,
    restart,
    resume,
    stored,
    value,
    world_of,
)

OLD, NEW = value("old"), value("new")


def written_to(*specs: StateSpec) -> World:
    """A world in which A has a durable value, 'old', in each of `specs`, written just now."""
    world = world_of(*specs)
    accept(world, A, b"1")
    answer(world, does(state={spec.name: OLD for spec in specs}))
    commit(world)
    return world


def seen_after(world: World, milliseconds: int, name: str) -> bytes | None:
    """What a call that changes nothing sees after some time."""
    world.advance(milliseconds)
    accept(world, A, b"look")
    return answer(world, does()).state[name]


@pytest.mark.parametrize("spec", [WRITTEN, CALLED], ids=["after a write", "after a call"])
def test_a_value_is_seen_until_its_time_is_over_and_never_from_then_on(spec: StateSpec) -> None:
    assert seen_after(written_to(spec), 999, spec.name) == OLD
    assert seen_after(written_to(spec), 1000, spec.name) is None


@pytest.mark.parametrize("spec", [WRITTEN, CALLED], ids=["after a write", "after a call"])
def test_an_expired_value_is_deleted_from_disk_by_the_epoch_that_finds_it(spec: StateSpec) -> None:
    world = written_to(spec)
    assert seen_after(world, 1000, spec.name) is None
    assert commit(world).deletes == [(Table.STATE, keys.address_key(A))]


def test_only_the_expired_value_of_an_address_is_deleted() -> None:
    world = written_to(SEEN, WRITTEN)
    assert seen_after(world, 1000, "written") is None
    commit(world)
    assert world.state(A) == {"seen": OLD}


def test_a_call_does_not_prolong_a_value_that_expires_after_writes() -> None:
    world = written_to(WRITTEN)
    assert seen_after(world, 600, "written") == OLD
    assert seen_after(world, 400, "written") is None


def test_a_write_prolongs_a_value_that_expires_after_writes_also_with_the_same_content() -> None:
    world = written_to(WRITTEN)
    world.advance(600)
    accept(world, A, b"write")
    answer(world, does(state={"written": OLD}))
    assert seen_after(world, 999, "written") == OLD
    assert seen_after(world, 1, "written") is None


def test_a_call_prolongs_a_value_that_expires_after_calls() -> None:
    world = written_to(CALLED)
    for _ in range(5):
        assert seen_after(world, 999, "called") == OLD


def test_the_time_of_the_last_call_is_durable() -> None:
    world = written_to(CALLED)
    seen_after(world, 900, "called")
    restart(world, CALLED)
    assert seen_after(world, 999, "called") == OLD
    assert stored(world, A)["called"][0] == world.now - 999


def test_the_time_of_the_last_write_is_durable() -> None:
    world = written_to(WRITTEN)
    world.advance(900)
    restart(world, WRITTEN)
    assert seen_after(world, 99, "written") == OLD
    restart(world, WRITTEN)
    assert seen_after(world, 1, "written") is None


def test_a_value_that_expired_during_a_stop_is_not_seen_after_it() -> None:
    world = written_to(WRITTEN, CALLED)
    world.now += 1000
    restart(world, WRITTEN, CALLED)
    assert seen_after(world, 0, "written") is None
    accept(world, A, b"look")
    assert call(world).state == {"written": None, "called": None}


def test_a_deletion_of_an_expired_value_that_was_not_durable_is_found_again() -> None:
    world = written_to(WRITTEN)
    assert seen_after(world, 1000, "written") is None
    world.crash()
    declare(world, WRITTEN)
    assert seen_after(world, 0, "written") is None
    assert tuple(commit(world).deletes) == ((Table.STATE, keys.address_key(A)),)


def test_every_attempt_of_a_call_prolongs_a_value_that_expires_after_calls() -> None:
    world = written_to(CALLED)
    accept(world, A, b"2")
    for _ in range(3):
        world.advance(999)
        answer(world, TRANSIENT)
    world.advance(999)
    assert call(world).state == {"called": OLD}


def test_every_attempt_looks_at_the_time_anew() -> None:
    world = written_to(WRITTEN)
    accept(world, A, b"2")
    assert answer(world, TRANSIENT).state == {"written": OLD}
    world.advance(1000)
    assert call(world).state == {"written": None}


@pytest.mark.parametrize("spec", [WRITTEN, CALLED], ids=["after a write", "after a call"])
def test_time_goes_on_while_an_address_is_parked(spec: StateSpec) -> None:
    world = written_to(spec)
    accept(world, A, b"2")
    answer(world, PERMANENT)
    world.advance(1000)
    assert resume(world, A)
    assert call(world).state == {spec.name: None}


def test_a_value_written_anew_after_it_expired_is_seen() -> None:
    world = written_to(WRITTEN)
    world.advance(1000)
    accept(world, A, b"2")
    answer(world, does(state={"written": NEW}))
    restart(world, WRITTEN)
    assert seen_after(world, 999, "written") == NEW


def test_a_shorter_expiration_takes_effect_on_values_that_are_there() -> None:
    world = written_to(WRITTEN)
    restart(world, WRITTEN._replace(expire_after=500))
    assert seen_after(world, 500, "written") is None


def test_a_longer_expiration_takes_effect_on_values_that_are_there() -> None:
    world = written_to(WRITTEN)
    restart(world, WRITTEN._replace(expire_after=2000))
    assert seen_after(world, 1999, "written") == OLD
    assert seen_after(world, 1, "written") is None


def test_a_value_that_no_longer_expires_stays() -> None:
    world = written_to(WRITTEN)
    restart(world, SEEN._replace(name="written"))
    assert seen_after(world, 10**9, "written") == OLD


def test_a_value_that_now_expires_after_calls_is_prolonged_by_them() -> None:
    world = written_to(WRITTEN)
    restart(world, CALLED._replace(name="written"))
    assert seen_after(world, 999, "written") == OLD
    assert seen_after(world, 999, "written") == OLD


def test_a_cut_epoch_keeps_the_time_it_was_cut_with() -> None:
    world = written_to(CALLED)
    seen_after(world, 10, "called")
    world.cut()
    seen_after(world, 10, "called")
    world.commit()
    assert stored(world, A)["called"][0] == world.now - 10
