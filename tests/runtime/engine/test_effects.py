"""The effects of a batch: all of them in the documented order, or none."""

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.epoch import DeadLetter
from statefun_runtime.interfaces import Cancellation, Effects, EgressRecord, Send, Table
from statefun_runtime.store import keys, rows
from tests.simulation.world import EGRESS, World

from .steps import (
    SEEN,
    A,
    C,
    accept,
    answer,
    call,
    commit,
    does,
    later,
    ready,
    record,
    restart,
    tables,
    value,
    world_of,
)


def test_effects_are_applied_as_sends_then_delayed_then_egresses_then_mutations() -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    answer(
        world,
        does(
            record(b"to a file"), later(5, C, b"later"), EgressRecord("test/nowhere", b"lost"), Send(C, b"at once"),
            state={"seen": value("yes")},
        ),
    )  # fmt: skip
    epoch = world.engine.epoch
    [sent] = epoch.born
    [(_, delayed)] = epoch.delayed
    [letter] = epoch.dead_letters
    assert sent < delayed < letter.message[0]
    assert list(epoch.state) == [A]


def test_sends_keep_the_order_of_the_function() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(Send(C, b"1"), Send(C, b"2"), Send(C, b"3")))
    answer(world, does(), expect=[b"1", b"2", b"3"])


def test_egress_records_keep_their_order_within_and_over_batches() -> None:
    world = world_of()
    for number in (b"1", b"2"):
        accept(world, A, number)
        answer(world, does(record(number + b" first"), record(number + b" second")))
    commit(world)
    assert world.written == {1: [b"1 first", b"1 second", b"2 first", b"2 second"]}


def test_egress_records_go_out_only_after_the_commit_of_their_epoch() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(record(b"out")))
    world.cut()
    assert world.written == {}
    world.commit()
    assert world.written == {1: [b"out"]}


def test_a_mutation_to_none_deletes_the_value_and_the_last_value_deletes_the_row() -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    answer(world, does(state={"seen": value("yes")}))
    commit(world)
    assert world.state(A) == {"seen": value("yes")}
    accept(world, A, b"2")
    answer(world, does(state={"seen": None}))
    assert commit(world).deletes == [(Table.STATE, keys.address_key(A))]
    accept(world, A, b"3")
    assert call(world).state == {"seen": None}


def test_an_empty_value_is_a_value() -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    empty = TypedValue(typename="test/text", has_value=True).SerializeToString()
    answer(world, does(state={"seen": empty}))
    restart(world, SEEN)
    accept(world, A, b"2")
    assert call(world).state == {"seen": empty}


def test_a_value_whose_fields_are_encoded_in_another_order_is_accepted() -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    content, name = TypedValue(has_value=True, value=b"yes"), TypedValue(typename="test/text")
    answer(world, does(state={"seen": content.SerializeToString() + name.SerializeToString()}))
    assert world.engine.epoch.parked == {}
    assert list(world.engine.epoch.state) == [A]


REFUSED: dict[str, tuple[Effects, str]] = {
    "an undeclared state": (
        does(state={"sen": value("1")}),
        "it wrote the state 'sen', which it never declared; declared: seen",
    ),
    "an undeclared state that is deleted": (does(state={"sen": None}), "it wrote the state 'sen', which"),
    "a value of another type": (
        does(state={"seen": value("1", "test/number")}),
        "it wrote a value of type test/number to the state 'seen', which is declared as test/text",
    ),
    "a value of a type whose name begins like the declared one": (
        does(state={"seen": value("1", "test/text2")}),
        "it wrote a value of type test/text2 to the state 'seen'",
    ),
    "a token that is live twice": (
        does(later(5, C, b"1", "t"), later(5, C, b"2", "t")),
        "it sent a delayed message with the token 't', which another one of it still holds",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_reply_that_is_refused_parks_the_address_and_nothing_of_it_is_applied(case: str) -> None:
    effects, reason = REFUSED[case]
    world = world_of(SEEN)
    accept(world, A, b"1")
    effects.sends.append(Send(C, b"sent"))
    effects.egresses.append(record(b"out"))
    effects.mutations = {"seen": value("before it"), **effects.mutations}
    answer(world, effects)
    assert ready(world) == []
    assert reason in world.engine.epoch.parked[A].reason  # type: ignore[union-attr]
    assert tables(commit(world)) == {"mailbox": 1, "parked": 1}


def unknown_egress(world: World) -> DeadLetter:
    accept(world, A, b"1")
    answer(world, does(Send(C, b"sent"), EgressRecord("test/nowhere", b"lost"), record(b"out")))
    [(key, row)] = [(key, row) for table, key, row in commit(world).puts if table is Table.DEAD_LETTERS]
    return rows.read_dead_letter(keys.read_number(key, 0), row)


def test_a_record_for_an_unknown_egress_becomes_a_dead_letter() -> None:
    letter = unknown_egress(world_of())
    assert letter.destination == "test/nowhere"
    assert letter.message[1:] == (A, A, b"lost")
    assert letter.reason == "no egress has the id test/nowhere"
    assert letter.time == 1_000_000


def test_a_record_for_an_unknown_egress_does_not_fail_its_sender() -> None:
    world = world_of()
    unknown_egress(world)
    assert world.written == {1: [b"out"]}
    answer(world, does(), expect=[b"sent"])


def test_a_cancellation_and_a_token_used_anew_in_one_reply_are_in_the_order_of_the_function() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(later(5, C, b"old", "t"), Cancellation("t"), later(5, C, b"new", "t")))
    world.advance(5)
    answer(world, does(), expect=[b"new"])


def test_figures_of_a_function_type_count_messages() -> None:
    world = world_of()
    accept(world, A, b"1", b"2")
    answer(world, does(Send(C, b"x"), record(b"out"), record(b"out")))
    figures = world.engine.mailboxes.types["test/f"]
    assert (figures.invocations, figures.sent, figures.egressed, figures.failures) == (2, 1, 2, 0)
    assert (figures.pending, figures.pending_bytes) == (0, 0)
    sent = world.engine.mailboxes.types["test/g"]
    assert (sent.pending, sent.pending_bytes) == (1, 1)
    assert EGRESS in world.engine.epoch.outbox
