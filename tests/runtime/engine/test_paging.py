"""What waits beyond the room in memory stays in the store, and comes back in order."""

from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Address, Send
from tests.simulation.world import World

from .steps import (
    PERMANENT,
    TRANSIENT,
    UNREACHABLE,
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
    resume,
    world_of,
)


def in_memory(world: World) -> int:
    return sum(len(mailbox.queue) for mailbox in world.engine.mailboxes.in_memory())


def drain(world: World) -> dict[Address, list[bytes]]:
    """Answer all calls until nothing waits; the messages by address, in order."""
    ran: dict[Address, list[bytes]] = {}
    while world.engine.pending:
        for batch in ready(world):
            ran.setdefault(batch.target, []).extend(payloads(batch))
            world.reply(batch, does())
        commit(world)
    return ran


def test_messages_beyond_a_page_are_not_in_memory_and_come_in_order() -> None:
    world = world_of(limits=Limits(page=3, max_batch=2))
    numbers = [b"%d" % number for number in range(20)]
    accept(world, A, *numbers)
    assert in_memory(world) == 3
    assert drain(world) == {A: numbers}


def test_messages_beyond_a_page_wait_until_they_are_durable() -> None:
    world = world_of(limits=Limits(page=1))
    accept(world, A, b"1", b"2")
    answer(world, does(), expect=[b"1"])
    assert ready(world) == []
    commit(world)
    assert payloads(call(world)) == [b"2"]


def test_addresses_beyond_the_room_are_brought_in_by_passes_over_the_store() -> None:
    world = world_of(limits=Limits(max_queued=2))
    addresses = [("test/f", f"{number:02}") for number in range(20)]
    for address in addresses:
        accept(world, address, b"1", b"2")
    assert world.engine.mailboxes.queued == 2
    assert drain(world) == {address: [b"1", b"2"] for address in addresses}


def test_an_address_left_behind_a_pass_is_brought_in_by_the_next_one() -> None:
    world = world_of(limits=Limits(max_queued=1))
    first, last = ("test/f", "1"), ("test/f", "9")
    accept(world, B, b"0")
    accept(world, last, b"1")
    batch = call(world)
    accept(world, first, b"2")
    world.reply(batch, does())
    assert set(drain(world)) == {first, last}


def test_payloads_count_towards_the_room_too() -> None:
    world = world_of(limits=Limits(max_queued_bytes=1000))
    for number in range(10):
        accept(world, ("test/f", str(number)), bytes(400))
    assert world.engine.mailboxes.queued == 3
    assert len(drain(world)) == 10


def test_after_a_restart_what_waits_is_counted_and_not_read() -> None:
    world = world_of()
    for number in range(50):
        accept(world, ("test/f", str(number)), b"x", b"y")
    restart(world)
    assert (world.engine.pending, world.engine.mailboxes.addresses) == (100, 0)
    assert len(drain(world)) == 50


def test_a_message_for_an_address_with_older_ones_in_the_store_comes_behind_them() -> None:
    world = world_of()
    accept(world, A, b"1")
    restart(world)
    accept(world, A, b"2")
    commit(world)
    assert drain(world) == {A: [b"1", b"2"]}


def test_a_parked_address_needs_no_memory() -> None:
    world = world_of(limits=Limits(cache_bytes=0))
    accept(world, A, b"1")
    answer(world, PERMANENT)
    commit(world)
    accept(world, A, b"2", b"3")
    world.load()
    for _ in range(3):
        world.engine.accept("ingress", [], "", b"position")
        commit(world)
    assert world.engine.mailboxes.addresses == 0
    assert ready(world) == []
    assert resume(world, A)
    assert drain(world) == {A: [b"1", b"2", b"3"]}


def test_a_function_type_that_nobody_serves_needs_no_memory_and_stops_no_ingress() -> None:
    world = world_of(limits=Limits(cache_bytes=0, high_water=5))
    accept(world, A, b"1")
    answer(world, UNREACHABLE)
    for number in range(100):
        accept(world, ("test/f", str(number)), b"2")
        commit(world)
    assert world.engine.mailboxes.addresses <= 2
    assert (world.engine.pending, world.engine.has_room()) == (101, True)
    world.advance(1000)
    world.reply(call(world), does())
    assert len(drain(world)) == 100


def test_addresses_that_back_off_leave_a_full_memory() -> None:
    world = world_of(limits=Limits(max_queued=2))
    accept(world, A, b"1", b"2")
    answer(world, TRANSIENT)
    commit(world)
    assert world.engine.mailboxes.queued == 0
    accept(world, B, b"1")
    answer(world, does(), expect=[b"1"])
    world.advance(1000)
    assert drain(world) == {A: [b"1", b"2"]}


def test_while_commits_do_not_keep_up_nothing_goes_on() -> None:
    world = world_of(limits=Limits(max_epoch=2))
    accept(world, A, b"1")
    world.cut()
    accept(world, B, b"1")
    assert world.engine.has_room()
    accept(world, B, b"2")
    assert (world.engine.has_room(), ready(world)) == (False, [])
    world.commit()
    assert world.engine.has_room()
    assert len(ready(world)) == 2


def test_above_the_disk_quota_ingresses_pause() -> None:
    world = world_of(limits=Limits(disk_quota=1000))
    accept(world, A, bytes(600))
    assert world.engine.has_room()
    answer(world, does(Send(B, bytes(1000))))
    assert (world.engine.is_over_quota, world.engine.has_room()) == (True, False)
    answer(world, does())
    assert world.engine.has_room()
