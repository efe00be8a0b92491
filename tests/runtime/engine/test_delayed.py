"""Delayed messages: when they fire, what cancels them, and what of them is on disk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.engine.delayed import DelayedMessages
from statefun_runtime.engine.limits import Limits
from statefun_runtime.epoch import DelayedKey, DelayedMessage, Epoch, Token
from statefun_runtime.interfaces import Cancellation, Send
from statefun_runtime.reading import answer_reads
from tests.simulation.world import World

from .steps import (
    TRANSIENT,
    A,
    B,
    C,
    accept,
    answer,
    call,
    commit,
    does,
    later,
    payloads,
    ready,
    restart,
    tables,
    world_of,
)


def sent(*delayed: tuple[int, bytes, str]) -> World:
    """A world in which A has sent delayed messages to C: (delay, payload, token)."""
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(*(later(delay, C, payload, token) for delay, payload, token in delayed)))
    return world


def cancel(world: World, token: str) -> None:
    accept(world, A, b"cancel")
    answer(world, does(Cancellation(token)))


def fired(world: World, milliseconds: int) -> list[bytes]:
    """What C gets when time moves on."""
    world.advance(milliseconds)
    batches = ready(world)
    for batch in batches:
        world.reply(batch, does())
    return [payload for batch in batches for payload in payloads(batch)]


def test_a_delayed_message_fires_when_it_is_due_and_not_before() -> None:
    world = sent((50, b"due", ""))
    assert world.engine.next_time() == world.now + 50
    assert fired(world, 49) == []
    assert fired(world, 1) == [b"due"]
    assert world.engine.next_time() is None


def test_delayed_messages_fire_in_due_order_and_equal_times_in_the_order_they_were_sent() -> None:
    world = sent((30, b"4", ""), (20, b"2", ""), (10, b"1", ""), (20, b"3", ""))
    assert fired(world, 30) == [b"1", b"2", b"3", b"4"]


def test_a_delay_of_zero_fires_at_the_next_tick_after_what_is_sent_at_once() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(later(0, C, b"delayed"), Send(C, b"at once")))
    assert fired(world, 0) == [b"at once", b"delayed"]


def test_the_caller_of_a_delayed_message_is_its_sender() -> None:
    world = sent((1, b"due", ""))
    commit(world)
    world.crash()
    world.advance(1)
    assert call(world).messages[0][2] == A


def test_delayed_messages_survive_a_restart_and_fire_in_the_same_order() -> None:
    world = sent((30, b"3", ""), (20, b"1", ""), (20, b"2", ""))
    restart(world)
    assert fired(world, 19) == []
    assert fired(world, 11) == [b"1", b"2", b"3"]


def test_overdue_messages_fire_at_once_after_a_restart() -> None:
    world = sent((30, b"2", ""), (20, b"1", ""))
    commit(world)
    world.now += 1_000_000
    world.crash()
    world.engine.declare("test/g", [])
    assert fired(world, 0) == [b"1", b"2"]


def test_a_fired_message_does_not_fire_again_after_a_restart() -> None:
    world = sent((5, b"due", "t"))
    commit(world)
    assert fired(world, 5) == [b"due"]
    changes = commit(world)
    assert (tables(changes), len(changes.deletes)) == ({"delayed": 1, "tokens": 1}, 2)
    world.crash()
    assert fired(world, 5) == []


def test_a_message_that_fired_but_was_not_consumed_is_in_the_mailbox_after_a_restart() -> None:
    world = sent((5, b"due", ""))
    commit(world)
    world.advance(5)
    assert tables(commit(world)) == {"delayed": 1, "mailbox": 1}
    world.crash()
    assert fired(world, 0) == [b"due"]


def test_a_delayed_message_that_fires_in_the_epoch_that_sent_it_touches_no_disk() -> None:
    world = sent((5, b"due", "t"))
    fired(world, 5)
    assert tables(commit(world)) == {}


def test_a_message_cancelled_in_the_epoch_that_sent_it_touches_no_disk() -> None:
    world = sent((5, b"due", "t"))
    cancel(world, "t")
    assert tables(commit(world)) == {}
    assert fired(world, 5) == []


def test_a_message_is_cancelled_in_the_reply_that_sent_it() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(later(5, C, b"due", "t"), Cancellation("t")))
    assert fired(world, 5) == []


def test_a_cancellation_before_the_message_in_the_same_reply_leaves_the_message() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(Cancellation("t"), later(5, C, b"due", "t")))
    assert fired(world, 5) == [b"due"]


def test_a_message_is_cancelled_by_a_later_batch_of_its_sender() -> None:
    world = sent((5, b"due", "t"), (5, b"other", "u"))
    commit(world)
    cancel(world, "t")
    changes = commit(world)
    assert (tables(changes), len(changes.deletes)) == ({"delayed": 1, "tokens": 1}, 2)
    assert fired(world, 5) == [b"other"]


def test_a_message_is_cancelled_after_a_restart() -> None:
    world = sent((5, b"due", "t"))
    restart(world)
    cancel(world, "t")
    restart(world)
    assert fired(world, 5) == []


def test_a_cancellation_that_was_not_durable_is_undone_by_a_crash() -> None:
    world = sent((5, b"due", "t"))
    commit(world)
    cancel(world, "t")
    world.crash()
    assert fired(world, 5) == [b"due"]


def test_an_unknown_token_is_ignored() -> None:
    world = sent((5, b"due", "t"))
    cancel(world, "never sent")
    assert fired(world, 5) == [b"due"]


def test_a_cancellation_after_the_message_fired_is_ignored() -> None:
    world = sent((5, b"due", "t"))
    assert fired(world, 5) == [b"due"]
    cancel(world, "t")
    assert tables(commit(world)) == {}


def test_a_token_belongs_to_the_address_that_sent_the_message() -> None:
    world = sent((5, b"of a", "t"))
    accept(world, B, b"1")
    answer(world, does(Cancellation("t"), later(6, C, b"of b", "t")))
    assert fired(world, 6) == [b"of a", b"of b"]


def test_messages_without_a_token_are_not_duplicates_of_each_other() -> None:
    assert fired(sent((5, b"1", ""), (5, b"2", "")), 5) == [b"1", b"2"]


def test_a_token_that_is_live_refuses_the_whole_batch_also_after_a_restart() -> None:
    world = sent((5, b"due", "t"))
    restart(world)
    accept(world, A, b"2")
    answer(world, does(Send(C, b"not sent"), later(9, C, b"not sent", "t")))
    assert world.engine.epoch.parked.keys() == {A}
    assert fired(world, 9) == [b"due"]


def test_a_token_may_be_used_again_after_its_message_fired() -> None:
    world = sent((5, b"first", "t"))
    restart(world)
    assert fired(world, 5) == [b"first"]
    accept(world, A, b"2")
    answer(world, does(later(5, C, b"second", "t")))
    restart(world)
    assert fired(world, 5) == [b"second"]


def test_a_token_may_be_used_again_after_a_cancellation_in_an_earlier_batch() -> None:
    world = sent((5, b"first", "t"))
    commit(world)
    cancel(world, "t")
    accept(world, A, b"2")
    answer(world, does(later(7, C, b"second", "t")))
    restart(world)
    assert fired(world, 7) == [b"second"]


def test_a_failed_batch_sends_its_delayed_message_once_when_it_succeeds() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, TRANSIENT)
    world.advance(1_000)
    answer(world, does(later(5, C, b"due", "t")))
    assert fired(world, 5) == [b"due"]


def test_cancelled_messages_that_are_far_from_due_do_not_fill_the_memory() -> None:
    delayed, epoch = DelayedMessages(0, 1_000), Epoch(1)
    for sequence in range(10_000):
        delayed.add(DelayedMessage(10**6 + sequence, sequence, C, A, b"", "t"), epoch)
        if sequence != 9_999:
            delayed.cancel((10**6 + sequence, sequence), (A, "t"), epoch)
    assert delayed.count == 1
    assert len(delayed._heap) < 1_100
    assert [message.sequence for message in delayed.due(2 * 10**6, epoch)] == [9_999]


def test_only_the_nearest_messages_are_in_memory() -> None:
    rig = Rig(window=10)
    for number in range(100):
        rig.add(due=1_000 - number, token=str(number))
    assert len(rig.delayed._heap) <= 20
    assert rig.delayed.count == 100


class Model:
    """Delayed messages kept as a plain list, in the order they fire."""

    def __init__(self) -> None:
        self.waiting: list[DelayedMessage] = []

    def fire(self, now: int) -> list[DelayedMessage]:
        due = sorted(message for message in self.waiting if message.due <= now)
        self.waiting = [message for message in self.waiting if message.due > now]
        return due


class Rig:
    """The index with what its owner does: rows on disk, one epoch open and perhaps one on its way."""

    def __init__(self, window: int) -> None:
        self.window = window
        self.rows: dict[DelayedKey, DelayedMessage] = {}
        self.tokens: dict[Token, DelayedKey] = {}
        self.epochs = [Epoch(1)]
        self.sequence = 0
        self.delayed = DelayedMessages(0, window)

    @property
    def epoch(self) -> Epoch:
        return self.epochs[0]

    def add(self, due: int, token: str) -> DelayedMessage:
        self.sequence += 1
        message = DelayedMessage(due, self.sequence, C, A, b"", token)
        self.delayed.add(message, self.epoch)
        return message

    def find(self, token: str) -> DelayedKey | None:
        return self.delayed.find((A, token), self.epochs, {(A, token): self.tokens.get((A, token))})

    def due(self, now: int) -> list[DelayedMessage]:
        fired = list(self.delayed.due(now, self.epoch))
        while (after := self.delayed.wanted_after) is not None:
            rows = sorted(message for key, message in self.rows.items() if key > after)
            self.delayed.loaded(rows[:3], self.epochs, is_end=len(rows) <= 3)
            fired += self.delayed.due(now, self.epoch)
        return fired

    def cut(self) -> None:
        if len(self.epochs) == 1:
            self.epochs.insert(0, Epoch(self.epoch.number + 1))

    def write(self) -> Epoch:
        """Make the oldest epoch durable, before the index hears of it."""
        epoch = self.epochs[-1]
        for gone in epoch.delayed_gone:
            self.rows.pop(gone, None)
        self.rows.update(epoch.delayed)
        for token in epoch.tokens_gone:
            self.tokens.pop(token, None)
        self.tokens.update(epoch.tokens)
        return epoch

    def commit(self) -> None:
        if len(self.epochs) == 2:
            self.write()
            self.epochs.pop()

    def restart(self) -> None:
        """Begin again with what is durable, everything being so."""
        self.commit()
        self.cut()
        self.commit()
        self.delayed = DelayedMessages(len(self.rows), self.window)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 30), st.sampled_from(["", "t", "u"])),
        st.tuples(st.just("cancel"), st.just(0), st.sampled_from(["t", "u", "never"])),
        st.tuples(st.just("advance"), st.integers(0, 20), st.just("")),
        st.tuples(st.sampled_from(["cut", "write", "commit", "restart"]), st.just(0), st.just("")),
    ),
    max_size=80,
)


@pytest.mark.slow
@given(steps, st.integers(1, 5))
def test_delayed_messages_are_those_of_a_plain_list_and_so_are_the_rows(
    steps: list[tuple[str, int, str]], window: int
) -> None:
    rig, model, now = Rig(window), Model(), 0
    for action, number, token in steps:
        if action == "add" and not (token and rig.find(token)):
            model.waiting.append(rig.add(now + number, token))
        elif action == "cancel":
            key = rig.find(token)
            if key is not None:
                rig.delayed.cancel(key, (A, token), rig.epoch)
            model.waiting = [message for message in model.waiting if message.token != token]
        elif action == "advance":
            now += number
            assert rig.due(now) == model.fire(now)
        elif action == "write" and len(rig.epochs) == 2:
            rig.write()
        elif action in ("cut", "commit", "restart"):
            getattr(rig, action)()
        assert rig.delayed.count == len(model.waiting)
        assert {t for t in "tu" if rig.find(t)} == {m.token for m in model.waiting if m.token}
    rig.restart()
    assert sorted(rig.rows.values()) == sorted(model.waiting)
    assert rig.tokens == {(A, message.token): message.key for message in model.waiting if message.token}


def four_of_which_one_is_far() -> World:
    """A world that has room for two delayed messages; the one with a token is beyond it."""
    world = world_of(limits=Limits(delayed_window=1))
    accept(world, A, b"1")
    sends = [later(9, C, b"far", "t"), *(later(delay, C, str(delay).encode()) for delay in (1, 2, 3))]
    answer(world, does(*sends))
    commit(world)
    accept(world, A, b"2")
    return world


def test_a_token_of_a_message_beyond_memory_is_asked_of_the_store() -> None:
    world = four_of_which_one_is_far()
    answer(world, does(Cancellation("t")))
    accept(world, A, b"3")
    assert world.engine.next_batches(1) == []
    answer_reads(world.engine, world.store)
    assert payloads(call(world)) == [b"3"]
    assert fired(world, 3) == [b"1", b"2", b"3"]
    assert fired(world, 100) == []
    assert world.engine.delayed.count == 0


def test_a_token_is_held_by_a_message_beyond_memory() -> None:
    world = four_of_which_one_is_far()
    answer(world, does(later(7, C, b"second", "t")))
    answer_reads(world.engine, world.store)
    assert [mailbox.address for mailbox in world.engine.mailboxes.in_memory() if mailbox.parked] == [A]
