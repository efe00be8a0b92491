"""Messages from one sender to one target stay in order, whatever happens to the calls that carry them."""

from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Send

from .steps import TRANSIENT, A, B, C, accept, answer, call, commit, does, payloads, ready, restart, world_of


def test_messages_of_an_ingress_to_one_address_come_in_the_order_they_were_accepted() -> None:
    world = world_of()
    accept(world, A, b"1", b"2", b"3")
    answer(world, does(), expect=[b"1", b"2", b"3"])


def test_messages_of_one_sender_to_one_target_come_in_the_order_they_were_sent() -> None:
    world = world_of()
    accept(world, A, b"go", b"go")
    answer(world, does(Send(C, b"1"), Send(B, b"x"), Send(C, b"2")))
    accept(world, A, b"go on")
    to_c, _, to_a = sorted(ready(world), key=lambda batch: batch.target, reverse=True)
    world.reply(to_a, does(Send(C, b"3")))
    world.reply(to_c, does())
    assert payloads(to_c) == [b"1", b"2"]
    assert payloads(call(world)) == [b"3"]


def test_what_arrives_during_a_call_comes_after_the_messages_of_a_call_that_failed() -> None:
    world = world_of()
    accept(world, A, b"1", b"2")
    batch = call(world)
    accept(world, A, b"3")
    world.reply(batch, TRANSIENT)
    accept(world, A, b"4")
    world.advance(1_000)
    answer(world, does(), expect=[b"1", b"2", b"3", b"4"])


def test_order_holds_over_a_restart_when_some_messages_were_durable_and_others_came_later() -> None:
    world = world_of(limits=Limits(max_batch=1))
    accept(world, A, b"1", b"2", b"3")
    commit(world)
    answer(world, does(), expect=[b"1"])
    restart(world)
    accept(world, A, b"4")
    commit(world)
    for expected in (b"2", b"3", b"4"):
        answer(world, does(), expect=[expected])


def test_only_one_batch_of_an_address_is_in_flight() -> None:
    world = world_of()
    accept(world, A, b"1")
    first = call(world)
    accept(world, A, b"2", b"3")
    assert ready(world) == []
    world.reply(first, does())
    answer(world, does(), expect=[b"2", b"3"])


def test_a_function_that_sends_to_itself_gets_the_message_in_its_next_batch() -> None:
    world = world_of()
    accept(world, A, b"1")
    answer(world, does(Send(A, b"2")))
    batch = answer(world, does(), expect=[b"2"])
    assert batch.messages[0][2] == A


def test_the_caller_is_the_sender_and_absent_when_an_ingress_sent_the_message() -> None:
    world = world_of()
    accept(world, A, b"1")
    batch = answer(world, does(Send(C, b"2")))
    assert batch.messages[0][2] is None
    assert call(world).messages[0][2] == A


def test_a_stale_reply_is_dropped() -> None:
    world = world_of()
    accept(world, A, b"1")
    stale = answer(world, TRANSIENT)
    world.advance(1_000)
    current = call(world)
    world.engine.reply(stale, does(Send(C, b"twice")))
    world.reply(current, does(Send(C, b"once")))
    world.engine.reply(current, does(Send(C, b"twice")))
    answer(world, does(), expect=[b"once"])
    assert ready(world) == []
    assert world.engine.mailboxes.runnable == 0


def test_a_reply_to_an_address_that_is_no_longer_in_memory_is_dropped() -> None:
    world = world_of(limits=Limits(cache_bytes=0))
    accept(world, A, b"1")
    batch = answer(world, does())
    for payload in (b"2", b"3"):
        accept(world, B, payload)
        answer(world, does())
        commit(world)
    assert world.engine.mailboxes.find(A) is None
    world.engine.reply(batch, does(Send(C, b"twice")))
    assert ready(world) == []
