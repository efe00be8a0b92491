"""What operators do to parked addresses and dead letters."""

import pytest

from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.operator_actions import OperatorActions
from statefun_runtime.epoch import DeadLetter, JournalEntry, LetterKind
from statefun_runtime.interfaces import Changes, DelayedSend, EgressRecord, Send, Table
from statefun_runtime.operation import Action, Operation
from statefun_runtime.operation_runner import perform
from statefun_runtime.store import keys, rows
from statefun_runtime.store.changes import LETTERS
from statefun_runtime.store.recovery import recover
from tests.simulation.world import World

from .steps import (
    PERMANENT,
    SEEN,
    A,
    B,
    accept,
    answer,
    call,
    commit,
    does,
    payloads,
    ready,
    restart,
    tables,
    value,
    world_of,
)

ALL_OF_THEM = (Action.RESUME, Action.SKIP, Action.PURGE, Action.DISCARD)


def parked_world(*waiting: bytes) -> World:
    """A world in which A is parked with these messages, and has the state `seen`."""
    world = world_of(SEEN)
    accept(world, A, b"0")
    answer(world, does(state={"seen": value("yes")}))
    accept(world, A, *waiting)
    answer(world, PERMANENT)
    return world


def operate(world: World, action: Action) -> str:
    commit(world)
    [outcome] = perform(world.engine, world.store, Operation(action, (A,), "ann"))
    assert outcome.done, outcome.text
    assert outcome.target == "test/f/a"
    return outcome.text


def letters(world: World) -> list[DeadLetter]:
    """The durable dead letters."""
    return [rows.read_dead_letter(keys.read_number(key, 0), row) for key, row in world.store.scan(Table.DEAD_LETTERS)]


def journal(world: World) -> list[JournalEntry]:
    """The durable journal."""
    return [rows.read_journal(keys.read_number(key, 0), row) for key, row in world.store.scan(Table.JOURNAL)]


def test_a_skipped_message_becomes_a_dead_letter_and_the_next_one_is_delivered() -> None:
    world = parked_world(b"poison", b"2")
    accept(world, A, b"3")
    assert operate(world, Action.SKIP) == "1 message to the dead letters, resumed"
    answer(world, does(), expect=[b"2", b"3"])
    commit(world)
    [letter] = letters(world)
    assert letter == DeadLetter(
        world.now,
        LetterKind.MESSAGE,
        "test/f",
        (letter.number, A, None, b"poison"),
        PERMANENT.reason,
        1,
        {"seen": (world.now, value("yes"))},
    )
    assert world.rows_left() == {}


def test_the_state_in_a_dead_letter_is_that_of_its_time() -> None:
    world = parked_world(b"poison", b"2")
    operate(world, Action.SKIP)
    answer(world, does(state={"seen": value("later")}), expect=[b"2"])
    commit(world)
    assert letters(world)[0].state == {"seen": (world.now, value("yes"))}


def test_a_purge_makes_dead_letters_of_all_messages_without_state_and_empties_the_mailbox() -> None:
    world = parked_world(b"1", b"2")
    restart(world, SEEN)
    accept(world, A, b"3")
    world.load()
    assert operate(world, Action.PURGE) == "3 messages to the dead letters, resumed"
    assert ready(world) == []
    commit(world)
    assert [(letter.message[3], letter.attempts, letter.state) for letter in letters(world)] == [
        (b"1", 0, {}),
        (b"2", 0, {}),
        (b"3", 0, {}),
    ]
    assert world.rows_left() == {}
    accept(world, A, b"4")
    answer(world, does(), expect=[b"4"])


def test_discarded_messages_are_gone() -> None:
    world = parked_world(b"1", b"2")
    commit(world)
    assert operate(world, Action.DISCARD) == "2 messages deleted, resumed"
    assert tables(commit(world)) == {"mailbox": 2, "parked": 1, "journal": 1}
    assert letters(world) == []
    restart(world, SEEN)
    assert ready(world) == []


@pytest.mark.parametrize("action", ALL_OF_THEM)
def test_what_is_not_parked_is_left_alone_and_nothing_is_journalled(action: Action) -> None:
    world = world_of()
    accept(world, A, b"1")
    actions = OperatorActions(world.engine, "ann")
    for address in (A, B):
        outcome = actions.on_address(action, address)
        assert (outcome.done, outcome.text) == (False, "is not parked")
    assert world.engine.epoch.journal == []
    answer(world, does(), expect=[b"1"])


@pytest.mark.parametrize("action", ALL_OF_THEM)
def test_an_operation_is_undone_by_a_crash_before_its_epoch_is_durable_and_by_none_after(action: Action) -> None:
    world = parked_world(b"1", b"2")
    commit(world)
    operate(world, action)
    world.cut()
    world.crash()
    assert journal(world) == []
    assert world.engine.mailboxes.types["test/f"].parked == 1
    world.load()
    operate(world, action)
    commit(world)
    world.crash()
    assert world.engine.mailboxes.types["test/f"].parked == 0
    left = {Action.RESUME: [b"1", b"2"], Action.SKIP: [b"2"]}.get(action, [])
    assert [payloads(batch) for batch in ready(world)] == ([left] if left else [])


@pytest.mark.parametrize("action", ALL_OF_THEM)
def test_the_counts_of_what_waits_are_right_afterwards(action: Action) -> None:
    world = parked_world(b"1", b"2")
    operate(world, action)
    world.function = lambda _: does()
    world.run()
    mailboxes = world.engine.mailboxes
    assert (mailboxes.queued, mailboxes.queued_bytes, world.engine.mailboxes.runnable) == (0, 0, 0)
    assert (world.engine.pending, mailboxes.types["test/f"].pending_bytes) == (0, 0)


def test_every_action_is_journalled_with_time_target_and_who() -> None:
    world = parked_world(b"1")
    operate(world, Action.RESUME)
    answer(world, PERMANENT)
    world.advance(5)
    operate(world, Action.SKIP)
    commit(world)
    first, second = journal(world)
    assert first[1:] == (world.now - 5, "resume", "test/f/a", "ann", "resumed")
    assert second[1:] == (world.now, "skip", "test/f/a", "ann", "1 message to the dead letters, resumed")


# -------------------------------------------------------------------------------------------------------- dead letters


def test_a_dead_letter_that_is_sent_again_is_a_new_message_from_the_same_caller_and_no_dead_letter() -> None:
    world = world_of()
    accept(world, B, b"go")
    answer(world, does(Send(A, b"poison"), Send(A, b"2")))
    answer(world, PERMANENT, expect=[b"poison", b"2"])
    operate(world, Action.SKIP)
    commit(world)
    [letter] = letters(world)
    outcome = OperatorActions(world.engine, "ann").on_letter(Action.RESEND, letter)
    assert outcome == (str(letter.number), True, "sent again to test/f/a", False)
    commit(world)
    batch = call(world)
    assert payloads(batch) == [b"2", b"poison"], "behind those that came meanwhile"
    sequence, target, caller, _ = batch.messages[1]
    assert sequence > letter.number
    assert (target, caller) == (A, B)
    commit(world)
    assert letters(world) == []


def test_a_deleted_dead_letter_is_gone_and_journalled() -> None:
    world = parked_world(b"1")
    operate(world, Action.SKIP)
    commit(world)
    [letter] = letters(world)
    assert OperatorActions(world.engine, "ann").on_letter(Action.DELETE, letter).text == "deleted"
    assert tables(commit(world)) == {"dead_letters": 1, "journal": 1}
    assert letters(world) == []
    assert journal(world)[-1][2:] == ("delete", str(letter.number), "ann", "deleted")


def test_dead_letters_count_towards_the_disk_quota_over_a_restart_until_they_are_gone() -> None:
    world = world_of(SEEN, limits=Limits(disk_quota=1000))
    accept(world, A, b"0")
    answer(world, does(state={"seen": value("x" * 500)}))
    accept(world, A, bytes(600))
    answer(world, PERMANENT)
    operate(world, Action.SKIP)
    commit(world)
    [letter] = letters(world)
    assert letter.size == 600 + len(value("x" * 500))
    assert not world.engine.has_room()
    restart(world, SEEN)
    assert (world.engine.dead_letters.size, world.engine.has_room()) == (letter.size, False)
    assert OperatorActions(world.engine, "ann").on_letter(Action.DELETE, letter).done
    commit(world)
    assert (world.engine.dead_letters.size, world.engine.has_room()) == (0, True)


def test_dead_letters_of_a_store_that_does_not_tell_their_size_are_counted_at_the_start() -> None:
    world = parked_world(b"poison")
    operate(world, Action.SKIP)
    commit(world)
    [letter] = letters(world)
    world.store.commit(Changes(deletes=[(Table.META, LETTERS)]))
    assert recover(world.store).letter_bytes == letter.size


def test_a_record_is_sent_again_to_its_egress_once_the_application_has_it() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(EgressRecord("test/missing", b"record")))
    commit(world)
    [letter] = letters(world)
    assert (letter.kind, letter.destination) == (LetterKind.EGRESS_RECORD, "test/missing")
    outcome = OperatorActions(world.engine, "ann").on_letter(Action.RESEND, letter)
    assert not outcome.done
    assert "has no egress test/missing" in outcome.text
    assert not world.engine.epoch.needs_commit()
    world.egress = "test/missing"
    restart(world)
    assert OperatorActions(world.engine, "ann").on_letter(Action.RESEND, letter).text == "sent again to test/missing"
    commit(world)
    assert list(world.written.values()) == [[b"record"]]
    assert letters(world) == []


def test_a_dead_letter_keeps_a_caller_that_sent_it_with_a_delay() -> None:
    world = world_of()
    accept(world, B, b"go")
    answer(world, does(DelayedSend(10, A, b"late", "")))
    world.advance(10)
    answer(world, PERMANENT, expect=[b"late"])
    operate(world, Action.SKIP)
    commit(world)
    assert letters(world)[0].message[2] == B
