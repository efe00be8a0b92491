"""Records that never get through become dead letters, in one epoch with what makes that final."""

from statefun_runtime.engine.rejection import reject_from, reject_records
from statefun_runtime.epoch import DeadLetter, LetterKind
from statefun_runtime.interfaces import OutboxBatch, Rejected, Table
from statefun_runtime.operation import Action, Operation, Outcome
from statefun_runtime.operation_runner import perform
from statefun_runtime.store import keys, rows
from tests.simulation.world import EGRESS, World

from .steps import A, accept, answer, commit, does, record, restart, world_of

REFUSED = Rejected("receipts", b"2", "Kafka refuses it: too large")


def letters(world: World) -> list[DeadLetter]:
    """The durable dead letters."""
    return [rows.read_dead_letter(keys.read_number(key, 0), row) for key, row in world.store.scan(Table.DEAD_LETTERS)]


def waiting(world: World) -> list[OutboxBatch]:
    """The durable outbox."""
    return [rows.read_outbox(0, row) for _, row in world.store.scan(Table.OUTBOX)]


def with_records(*records: bytes) -> World:
    """A world in which the egress was handed a batch with these records."""
    world = world_of()
    accept(world, A, b"0")
    answer(world, does(*map(record, records)))
    commit(world)
    return world


def test_a_rejected_record_of_an_ingress_is_a_dead_letter_with_where_it_stood() -> None:
    world = world_of()
    reject_records(world.engine, "a/in", [Rejected("t/0@7", b"raw", "has no key")])
    commit(world)
    [letter] = letters(world)
    assert letter.message[1:] == (("a/in", "t/0@7"), None, b"raw")
    assert letter[1:3] + letter[4:] == (LetterKind.INGRESS_RECORD, "a/in", "has no key", 0, {})


def test_a_rejected_record_leaves_the_outbox_in_the_epoch_that_makes_it_a_dead_letter() -> None:
    world = with_records(b"1", b"2", b"3")
    left = reject_from(world.engine, EGRESS, world.releasable[0], {1: REFUSED})
    assert list(left.records) == [b"1", b"3"]
    world.crash()
    assert ([list(batch.records) for batch in waiting(world)], letters(world)) == ([[b"1", b"2", b"3"]], [])
    reject_from(world.engine, EGRESS, world.releasable[0], {1: REFUSED})
    commit(world)
    assert [list(batch.records) for batch in waiting(world)] == [[b"1", b"3"]]
    [letter] = letters(world)
    assert letter.message[1:] == ((EGRESS, "receipts"), None, b"2")
    assert letter[1:3] + letter[4:] == (LetterKind.EGRESS_RECORD, EGRESS, REFUSED.reason, 0, {})


def test_a_batch_keeps_its_lineage_when_it_loses_records() -> None:
    world = with_records(b"1", b"2")
    older = world.releasable[0]._replace(lineage="older")
    reject_from(world.engine, EGRESS, older, {0: REFUSED})
    commit(world)
    assert [batch.lineage for batch in waiting(world)] == ["older"]


def test_a_batch_that_is_released_in_the_same_epoch_does_not_come_back() -> None:
    world = with_records(b"1", b"2")
    reject_from(world.engine, EGRESS, world.releasable[0], {1: REFUSED})
    world.release()
    commit(world)
    assert waiting(world) == []
    assert len(letters(world)) == 1


def test_a_refused_record_can_be_sent_again() -> None:
    world = with_records(b"2")
    reject_from(world.engine, EGRESS, world.releasable[0], {0: REFUSED})
    world.release()
    commit(world)
    [letter] = letters(world)
    [outcome] = perform(world.engine, world.store, Operation(Action.RESEND, (letter.number,), "ann"))
    assert outcome == Outcome(str(letter.number), done=True, text=f"sent again to {EGRESS}")
    commit(world)
    assert (letters(world), [list(batch.records) for batch in waiting(world)]) == ([], [[b"2"]])


def test_a_record_of_an_ingress_cannot_be_sent_again_but_deleted() -> None:
    world = world_of()
    reject_records(world.engine, "a/in", [Rejected("t/0@7", b"raw", "has no key")])
    commit(world)
    restart(world)
    [letter] = letters(world)
    [outcome] = perform(world.engine, world.store, Operation(Action.RESEND, (letter.number,), "ann"))
    assert not outcome.done
    assert "it never became a message" in outcome.text
    [outcome] = perform(world.engine, world.store, Operation(Action.DELETE, (letter.number,), "ann"))
    assert outcome == Outcome(str(letter.number), done=True, text="deleted")
    commit(world)
    assert letters(world) == []
