"""Batches that fail for good are split until the message that fails is alone."""

from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.engine.limits import OnFailure
from statefun_runtime.interfaces import Batch, Effects, Failure, Table
from statefun_runtime.store import keys, rows
from statefun_runtime.store.queries import read_messages
from tests.simulation.world import World

from .failing import policy, wait, with_message
from .steps import PERMANENT, TRANSIENT, A, accept, answer, does, payloads, restart, world_of


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
