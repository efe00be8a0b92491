"""What an epoch writes, and what a crash undoes."""

from collections.abc import Sequence

import pytest

from statefun_runtime.epoch import Epoch
from statefun_runtime.interfaces import Arrival, OutboxBatch, Send, Table
from statefun_runtime.store import keys, rows
from statefun_runtime.store.outbox import read_batch
from statefun_runtime.store.recovery import recover
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
    payloads,
    ready,
    record,
    tables,
    value,
    world_of,
)


def test_a_message_that_is_born_and_consumed_in_one_epoch_touches_no_disk() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(Send(C, b"2")))
    answer(world, does(), expect=[b"2"])
    assert tables(commit(world)) == {}


def test_a_message_is_on_disk_from_the_epoch_it_was_born_in_to_the_one_that_consumed_it() -> None:
    world = world_of()
    accept(world, A, b"1")
    changes = commit(world)
    [(_, key, _)] = changes.puts
    assert (tables(changes), changes.deletes) == ({"mailbox": 1}, [])
    answer(world, does())
    changes = commit(world)
    assert (changes.deletes, changes.puts) == ([(Table.MAILBOX, key)], [])


def test_messages_of_a_call_that_is_under_way_are_in_the_cut_epoch() -> None:
    world = world_of()
    accept(world, A, b"1")
    batch = call(world)
    assert tables(commit(world)) == {"mailbox": 1}
    world.reply(batch, does())
    assert tables(commit(world)) == {"mailbox": 1}
    world.crash()
    assert ready(world) == []


def test_a_message_consumed_while_its_epoch_is_being_written_is_deleted_by_the_next() -> None:
    world = world_of()
    accept(world, A, b"1")
    world.cut()
    answer(world, does(Send(C, b"2")))
    world.commit()
    changes = commit(world)
    assert (len(changes.deletes), tables(changes)) == (1, {"mailbox": 2})
    world.crash()
    assert payloads(call(world)) == [b"2"]


def test_nothing_in_a_cut_epoch_changes_any_more() -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    answer(world, does(record(b"1"), state={"seen": value("1")}))
    world.cut()
    accept(world, A, b"2")
    answer(world, does(record(b"2"), state={"seen": value("2")}))
    world.commit_and_crash()
    assert world.state(A) == {"seen": value("1")}
    assert world.written == {2: [b"1"]}


def test_a_crash_undoes_everything_since_the_last_durable_epoch_together() -> None:
    world = world_of(SEEN)
    world.accept(A, b"1", b"position 1")
    commit(world)
    answer(world, does(Send(C, b"2"), record(b"out"), later(5, C, b"3"), state={"seen": value("1")}))
    world.accept(A, b"4", b"position 2")
    world.crash()
    assert world.positions == {"ingress": {"": b"position 1"}}
    assert [(batch.target, payloads(batch)) for batch in ready(world)] == [(A, [b"1"])]
    assert world.state(A) == {}
    assert world.written == {}
    assert world.engine.next_time() is None


def test_effects_become_durable_with_the_consumption_of_their_messages() -> None:
    world = world_of(SEEN)
    accept(world, A, b"1")
    commit(world)
    answer(world, does(Send(C, b"2"), record(b"out"), later(5, C, b"3"), state={"seen": value("1")}))
    assert tables(commit(world)) == {"mailbox": 2, "state": 1, "delayed": 1, "outbox": 1}


def test_a_position_is_in_the_epoch_of_its_messages() -> None:
    world = world_of()
    epoch = world.accept(A, b"1", b"position")
    world.cut()
    assert world.cut_epoch is not None
    assert world.cut_epoch.number == epoch
    assert world.cut_epoch.positions == {("ingress", ""): b"position"}
    assert [message[3] for message in world.cut_epoch.born.values()] == [b"1"]


def test_positions_are_kept_by_ingress_and_partition() -> None:
    world = world_of()
    for ingress, partition, position in (("i", "0", b"1"), ("i", "1", b"2"), ("j", "0", b"3"), ("i", "0", b"4")):
        world.engine.accept(ingress, [Arrival(A, b"m")], partition, position)
    commit(world)
    assert recover(world.store).positions == {"i": {"0": b"4", "1": b"2"}, "j": {"0": b"3"}}


def test_a_position_without_messages_is_durable_too() -> None:
    world = world_of()
    world.engine.accept("ingress", [], "", b"skipped")
    assert tables(commit(world)) == {"positions": 1}


def test_an_epoch_in_which_messages_came_and_left_no_trace_is_still_cut_since_a_sender_may_wait_for_it() -> None:
    world = world_of()
    epoch = world.accept(A, b"1")
    answer(world, does())
    world.cut()
    assert world.cut_epoch is not None
    assert world.cut_epoch.number == epoch


def test_an_idle_engine_cuts_nothing() -> None:
    world = world_of()
    assert world.engine.cut() is None
    accept(world, A, b"1")
    answer(world, does())
    commit(world)
    world.advance(1000)
    assert world.engine.cut() is None
    assert world.engine.cut(everything=True) is None


def test_epoch_numbers_go_on_after_a_restart() -> None:
    world = world_of()
    for expected in (1, 2):
        assert world.accept(A, b"1") == expected
        commit(world)
    world.crash()
    assert world.accept(A, b"2") == 3
    assert world.engine.durable == 2


def test_sequences_are_never_used_twice_even_if_nothing_of_them_is_on_disk() -> None:
    world = world_of()
    accept(world, A, b"1")
    used = answer(world, does()).messages[0][0]
    commit(world)
    world.crash()
    accept(world, A, b"2")
    assert call(world).messages[0][0] > used


def test_the_lineage_stays_over_restarts_and_another_store_has_another() -> None:
    world = world_of()
    accept(world, A, b"1")
    commit(world)
    lineage = world.engine.lineage
    world.crash()
    assert world.engine.lineage == lineage != world_of().engine.lineage


def test_time_never_goes_back_while_running() -> None:
    world = world_of()
    world.engine.tick(2_000_000)
    world.engine.tick(1_000)
    assert world.engine.now == 2_000_000


def test_time_never_goes_back_over_a_restart() -> None:
    world = world_of()
    world.advance(500)
    accept(world, A, b"1")
    commit(world)
    world.now = 10
    world.crash()
    assert world.engine.now == 1_000_500
    answer(world, does(later(5, C, b"2")))
    assert world.engine.next_time() == 1_000_505


# ------------------------------------------------------------------------------------------------------------- outbox


def with_records(count: int) -> World:
    """A world in which epochs 1 to `count` each wrote one record."""
    world = world_of()
    for number in range(1, count + 1):
        accept(world, A, b"1")
        answer(world, does(record(b"%d" % number)))
        commit(world)
    return world


def outbox(world: World) -> Sequence[OutboxBatch]:
    return [read_batch(world.store, EGRESS, entry.epoch) for entry in recover(world.store).outbox.get(EGRESS, [])]


def test_records_stay_in_the_outbox_until_a_commit_after_their_release() -> None:
    world = with_records(3)
    world.engine.released(EGRESS, 2, b"after 2")
    assert [batch.epoch for batch in outbox(world)] == [1, 2, 3]
    accept(world, A, b"1")
    answer(world, does())
    assert tables(commit(world)) == {"outbox": 2, "sinks": 1}
    assert [(batch.epoch, batch.records) for batch in outbox(world)] == [(3, [b"3"])]
    assert recover(world.store).sinks[EGRESS].position == b"after 2"


def test_a_release_alone_causes_no_commit_but_the_last_one_takes_it_along() -> None:
    world = with_records(1)
    world.engine.released(EGRESS, 1, b"after 1")
    assert world.engine.cut() is None
    epoch = world.engine.cut(everything=True)
    assert isinstance(epoch, Epoch)
    assert (epoch.outbox_gone, epoch.sinks) == ([(EGRESS, 1)], {EGRESS: b"after 1"})


def test_after_a_restart_what_was_not_removed_comes_again_unchanged_and_in_order() -> None:
    world = with_records(3)
    world.engine.released(EGRESS, 1, None)
    accept(world, A, b"1")
    commit(world)
    world.engine.released(EGRESS, 2, None)
    world.crash()
    assert [(batch.epoch, batch.records) for batch in world.releasable] == [(2, [b"2"]), (3, [b"3"])]
    assert {batch.lineage for batch in world.releasable} == {world.engine.lineage}


def test_records_that_came_again_after_a_restart_are_removed_by_their_release() -> None:
    world = with_records(2)
    world.crash()
    world.engine.released(EGRESS, 2, b"after 2")
    epoch = world.engine.cut(everything=True)
    assert epoch is not None
    assert epoch.outbox_gone == [(EGRESS, 1), (EGRESS, 2)]


def test_a_release_twice_or_of_an_unknown_egress_removes_nothing_more() -> None:
    world = with_records(1)
    world.engine.released(EGRESS, 1, None)
    world.engine.released(EGRESS, 1, None)
    world.engine.released("test/other", 1, None)
    assert world.engine.epoch.outbox_gone == [(EGRESS, 1)]
    assert len(world.engine.outbox) == 0


@pytest.mark.parametrize("released", [0, 1, 2])
def test_the_outbox_counts_the_epochs_that_wait(released: int) -> None:
    world = with_records(2)
    world.engine.released(EGRESS, released, None)
    assert world.engine.outbox.waiting(EGRESS) == len(world.engine.outbox) == 2 - released
    assert world.engine.outbox.waiting("test/other") == 0


def test_the_row_of_an_outbox_names_lineage_and_epoch() -> None:
    world = with_records(1)
    [row] = world.store.get_many(Table.OUTBOX, [keys.numbered_key(EGRESS, 1)])
    assert row is not None
    assert rows.read_outbox(1, row) == OutboxBatch(world.engine.lineage, 1, [b"1"])
