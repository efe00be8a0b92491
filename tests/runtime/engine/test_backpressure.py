"""When ingresses are asked for more: it depends on messages that can run, never on those that are stuck."""

from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Address, EgressRecord, Reply, Send, Table
from tests.simulation.world import EGRESS, World

from .steps import (
    PERMANENT,
    TRANSIENT,
    UNREACHABLE,
    A,
    B,
    C,
    accept,
    answer,
    call,
    commit,
    does,
    later,
    ready,
    restart,
    resume,
    world_of,
)

LOW = Limits(high_water=3)


def test_there_is_room_below_the_mark_only() -> None:
    world = world_of(limits=LOW)
    accept(world, A, b"1", b"2")
    assert world.engine.has_room()
    accept(world, B, b"3")
    assert not world.engine.has_room()


def test_messages_of_a_busy_address_count_from_when_its_call_is_over() -> None:
    world = world_of(limits=LOW)
    accept(world, A, b"1", b"2", b"3")
    batch = call(world)
    accept(world, A, *(b"%d" % n for n in range(10)))
    assert (world.engine.mailboxes.runnable, world.engine.has_room()) == (0, True)
    world.reply(batch, does())
    assert (world.engine.mailboxes.runnable, world.engine.has_room()) == (10, False)


def test_messages_that_functions_send_count() -> None:
    world = world_of(limits=LOW)
    accept(world, A, b"1")
    answer(world, does(*(Send(C, b"x") for _ in range(3))))
    assert not world.engine.has_room()


def test_messages_of_a_parked_address_do_not_count() -> None:
    world = world_of(limits=LOW)
    accept(world, A, *(b"%d" % n for n in range(10)))
    answer(world, PERMANENT)
    assert (world.engine.mailboxes.runnable, world.engine.has_room()) == (0, True)
    accept(world, A, b"another")
    assert world.engine.mailboxes.runnable == 0
    resume(world, A)
    assert world.engine.mailboxes.runnable == 11


def test_messages_of_an_address_that_backs_off_do_not_count_until_its_next_attempt() -> None:
    world = world_of(limits=LOW)
    accept(world, A, b"1", b"2", b"3")
    answer(world, TRANSIENT)
    assert (world.engine.mailboxes.runnable, world.engine.has_room()) == (0, True)
    world.advance(10)
    assert (world.engine.mailboxes.runnable, world.engine.has_room()) == (3, False)


def test_what_waits_for_a_free_call_of_its_type_holds_up_that_type_only() -> None:
    world = world_of(limits=Limits(high_water=3, max_in_flight=1))
    accept(world, A, b"1")
    batch = call(world)
    accept(world, B, b"2", b"3")
    assert world.engine.has_room({"test/f"})
    accept(world, B, b"4")
    assert (world.engine.mailboxes.runnable, world.engine.has_room()) == (0, True)
    assert not world.engine.has_room({"test/f"})
    assert world.engine.has_room({"test/g"})
    assert world.engine.has_room({"test/f", "test/g"})
    world.reply(batch, does())
    ready(world)
    assert world.engine.has_room({"test/f"})


def test_a_type_that_is_sent_more_than_the_processor_can_take_is_refused_alone() -> None:
    world = world_of(limits=LOW)
    accept(world, A, b"1", b"2", b"3")
    assert not world.engine.has_room({"test/f"})
    assert world.engine.has_room({"test/g"})


def test_what_waits_for_a_free_call_counts_by_the_name_that_the_function_has_now() -> None:
    world = world_of(limits=Limits(high_water=1, max_in_flight=1, aliases={"test/old": "test/f"}))
    accept(world, A, b"1")
    call(world)
    accept(world, B, b"2")
    assert not world.engine.has_room({"test/old"})


def test_a_type_is_refused_when_many_of_its_addresses_wait_for_their_turn() -> None:
    world = world_of(limits=Limits(max_ready=2))
    accept(world, A, b"1", b"2", b"3")
    world.load()
    assert world.engine.has_room({"test/f"})
    accept(world, B, b"4")
    world.load()
    assert not world.engine.has_room({"test/f"})
    assert world.engine.has_room({"test/g"})


def test_records_of_the_open_epoch_count_towards_its_size_and_the_limit_of_the_outbox() -> None:
    world = world_of(limits=Limits(max_epoch=3, outbox_limit=500))
    accept(world, A, b"1")
    batch = call(world)
    assert (world.engine.is_epoch_full, world.engine.has_room()) == (False, True)
    world.reply(batch, does(*(EgressRecord(EGRESS, payload) for payload in (b"x", b"y", b"z"))))
    assert (world.engine.is_epoch_full, world.engine.has_room()) == (True, False)
    assert world.engine.outbox.size(EGRESS) == 603


def test_further_addresses_of_a_slow_type_wait_in_the_store() -> None:
    world = world_of(limits=Limits(high_water=1, crowded=3, max_in_flight=1))
    accept(world, A, b"1")
    batch = call(world)
    accept(world, B, b"2", b"3", b"4")
    others = [("test/f", f"other {number}") for number in range(50)]
    for address in others:
        accept(world, address, b"5")
    assert (world.engine.mailboxes.queued, world.engine.pending) == (4, 54)
    called: list[Address] = []
    batches = [batch]
    while batches:
        [batch] = batches
        called.append(batch.target)
        world.reply(batch, does())
        commit(world)
        world.load()
        batches = ready(world)
    assert sorted(called) == sorted([A, B, *others])
    assert world.engine.pending == 0


def test_a_memory_full_of_what_waits_for_a_slow_type_lets_another_type_in() -> None:
    world = world_of(limits=Limits(max_queued=3, max_in_flight=1))
    accept(world, A, b"1")
    call(world)
    accept(world, B, b"2", b"3", b"4")
    assert world.engine.mailboxes.is_full
    for number in range(10):
        accept(world, ("test/g", f"c{number}"), b"5")
    answered = 0
    commit(world)
    world.load()
    while batches := ready(world):
        for batch in batches:
            world.reply(batch, does())
            answered += 1
        commit(world)
        world.load()
    assert answered == 10


def test_messages_of_a_parked_address_do_not_count_after_a_restart() -> None:
    world = world_of(limits=LOW)
    accept(world, A, b"1", b"2", b"3")
    answer(world, PERMANENT)
    restart(world)
    assert (world.engine.mailboxes.runnable, world.engine.has_room()) == (0, True)
    world.load()
    assert world.engine.mailboxes.runnable == 0


def test_delayed_messages_count_from_when_they_fire() -> None:
    world = world_of(limits=LOW)
    accept(world, A, b"1")
    answer(world, does(*(later(5, C, b"x") for _ in range(3))))
    assert world.engine.mailboxes.runnable == 0
    world.advance(5)
    assert not world.engine.has_room()


actions = st.lists(
    st.tuples(st.sampled_from(["accept", "dispatch", "answer", "advance", "resume", "crash"]), st.integers(0, 3)),
    max_size=50,
)
ADDRESSES: list[Address] = [A, B, C, ("test/g", "d")]
REPLIES: list[Reply] = [does(), TRANSIENT, UNREACHABLE, PERMANENT]


def counted(world: World) -> tuple[int, int]:
    """Runnable messages and those in memory, counted one by one."""
    runnable = everything = 0
    for mailbox in world.engine.mailboxes.in_memory():
        everything += len(mailbox.queue) + (len(mailbox.in_flight.messages) if mailbox.in_flight else 0)
        if (mailbox.ready or mailbox.loading) and not mailbox.function_type.unreachable:
            runnable += len(mailbox.queue)
    return runnable, everything


def waiting(world: World) -> int:
    """All messages that are not done, in the store after a commit."""
    return len(list(world.store.scan(Table.MAILBOX)))


@given(actions, st.sampled_from([1, 3, 1000]))
def test_counting_never_drifts_whatever_happens(actions: list[tuple[str, int]], room: int) -> None:
    world = world_of(limits=Limits(max_batch=2, cache_bytes=0, page=2, max_queued=room))
    for action, number in actions:
        if action == "accept":
            accept(world, ADDRESSES[number], b"1", b"2", b"3")
        elif action == "dispatch":
            ready(world)
        elif action == "answer" and world.in_flight:
            world.reply(world.in_flight[0], REPLIES[number])
        elif action == "advance":
            world.advance(10 * number)
        elif action == "resume":
            resume(world, ADDRESSES[number])
        elif action == "crash":
            restart(world)
        commit(world)
        assert (world.engine.mailboxes.runnable, world.engine.mailboxes.queued) == counted(world)
        assert world.engine.pending == waiting(world)
