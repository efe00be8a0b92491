"""The driver carries out what the engine decides: calls, commits, timers, and what waits for them.

Calls are answered, commits held up and time moved by the tests.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.engine.limits import Limits
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import (
    Arrival,
    Batch,
    DelayedSend,
    Endpoint,
    Rejected,
    ReplyTo,
    Send,
    Table,
)
from tests.runtime.driver_rig import A, B, PromptEndpoint, Rig, effects, turns


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig().start()
    yield rig
    await rig.close()


# --------------------------------------------------------------------------------------------------------------- calls


async def test_an_accepted_message_is_given_to_the_endpoint_of_its_type(rig: Rig) -> None:
    rig.accept(A)
    batch = await rig.endpoint.answer(effects(Send(B, b"on")))
    assert (batch.target, batch.messages[0][3]) == (A, b"message")
    assert (await rig.endpoint.answer(effects())).messages[0][1:] == (B, A, b"on")


async def test_a_call_carries_the_state_that_the_store_holds() -> None:
    rig = Rig().start()
    rig.accept(A)
    value = TypedValue(typename="test/text", has_value=True, value=b"yes").SerializeToString()
    reply = effects()
    reply.mutations = {"seen": value}
    await rig.endpoint.answer(reply)
    await rig.driver.settle()
    restarted = Rig(store=rig.store).start()
    restarted.accept(A, B)
    states = {batch.target: batch.state for batch, _ in [await restarted.endpoint.calls.get() for _ in range(2)]}
    assert states == {A: {"seen": value}, B: {"seen": None}}
    for each in (rig, restarted):
        await each.close()


async def test_an_endpoint_may_answer_before_invoke_returns(rig: Rig) -> None:
    rig.endpoint = PromptEndpoint(effects(record=b"out"))
    rig.accept(A)
    assert list((await rig.egress.batches.get()).records) == [b"out"]


class BusyEndpoint(PromptEndpoint):
    """Answers after it kept the event loop for longer than a turn may last."""

    def __init__(self) -> None:
        super().__init__(effects())
        self.made = 0

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        until = time.perf_counter() + 0.003
        while time.perf_counter() < until:
            pass
        self.made += 1
        super().invoke(batch, reply_to)


async def test_functions_that_keep_the_processor_leave_sockets_a_turn_between_two_calls(rig: Rig) -> None:
    rig.endpoint = endpoint = BusyEndpoint()
    rig.accept(*(("test/f", str(number)) for number in range(20)))
    while endpoint.made < 20:
        made = endpoint.made
        await asyncio.sleep(0)
        assert endpoint.made <= made + 1


async def test_the_time_of_each_call_is_observed(rig: Rig) -> None:
    rig.accept(A)
    await rig.endpoint.answer(effects())
    assert rig.driver.latency["test/f"].count == 1


# ------------------------------------------------------------------------------------------------------------- durable


async def test_durable_returns_after_the_commit_and_not_before(rig: Rig) -> None:
    rig.store.open.clear()
    waiting = asyncio.ensure_future(rig.inlet.durable(rig.accept(A)))
    await turns()
    assert not waiting.done()
    rig.store.open.set()
    await waiting
    assert len(list(rig.store.scan(Table.MAILBOX))) == 1


async def test_an_epoch_that_is_durable_need_not_be_waited_for(rig: Rig) -> None:
    epoch = rig.accept(A)
    await rig.inlet.durable(epoch)
    rig.store.open.clear()
    await rig.inlet.durable(epoch)


async def test_a_message_accepted_during_a_commit_waits_for_the_next(rig: Rig) -> None:
    rig.store.open.clear()
    first = rig.accept(A)
    await turns()
    second = rig.accept(A)
    assert second == first + 1
    # The later epoch is asked for first.
    later = asyncio.ensure_future(rig.inlet.durable(second))
    earlier = asyncio.ensure_future(rig.inlet.durable(first))
    await turns()
    rig.store.open.set()
    await earlier
    assert rig.engine.durable >= first
    await later
    assert len(rig.store.commits) == 2


async def test_a_message_whose_function_changes_nothing_becomes_durable_too(rig: Rig) -> None:
    await rig.driver.settle()
    rig.endpoint = PromptEndpoint(effects())
    await rig.inlet.durable(rig.accept(A))
    assert {table for table, _, _ in rig.store.commits[-1].puts} == {Table.META}


async def test_a_waiter_that_was_cancelled_disturbs_nobody(rig: Rig) -> None:
    rig.store.open.clear()
    epoch = rig.accept(A)
    cancelled, waiting = (asyncio.ensure_future(rig.inlet.durable(epoch)) for _ in range(2))
    await turns()
    cancelled.cancel()
    await turns()
    rig.store.open.set()
    await waiting
    assert cancelled.cancelled()


# ---------------------------------------------------------------------------------------------------------------- room


async def test_room_returns_at_once_below_the_mark_and_waits_above_it_until_messages_are_consumed() -> None:
    rig = Rig(limits=Limits(high_water=1, max_in_flight=1)).start()
    await rig.inlet.room({"test/f"})
    rig.accept(A, B)
    waiting = asyncio.ensure_future(rig.inlet.room({"test/f"}))
    await turns()
    assert not waiting.done()
    await rig.endpoint.answer(effects())
    await waiting
    await rig.close()


async def test_room_waits_again_if_another_ingress_took_it() -> None:
    rig = Rig(limits=Limits(high_water=1, max_in_flight=1)).start()
    other = rig.driver.inlet("other")
    rig.accept(A, B)

    async def feed() -> None:
        await other.room({"test/f"})
        other.accept([Arrival(("test/f", "c"), b"message")])

    fed = asyncio.ensure_future(feed())
    await turns()
    waiting = asyncio.ensure_future(rig.inlet.room({"test/f"}))
    await turns()
    await rig.endpoint.answer(effects())
    await fed
    await turns()
    assert not waiting.done()
    await rig.endpoint.answer(effects())
    await waiting
    await rig.close()


async def test_a_crowd_is_let_in_to_the_last_though_some_have_gone() -> None:
    rig = Rig(limits=Limits(high_water=1)).start()
    rig.accept(A)
    waiting = [asyncio.create_task(rig.inlet.room()) for _ in range(200)]
    await turns()
    for task in waiting[::2]:
        task.cancel()
    await rig.endpoint.answer(effects())
    await asyncio.wait_for(asyncio.gather(*waiting[1::2]), 10)
    await rig.close()


async def test_who_waits_for_room_of_a_slow_type_does_not_hold_up_those_of_another() -> None:
    rig = Rig(limits=Limits(high_water=1, max_in_flight=1)).start()
    rig.accept(A, B)
    await turns()
    slow = asyncio.ensure_future(rig.inlet.room({"test/f"}))
    await turns()
    await asyncio.wait_for(rig.inlet.room({"test/other"}), 10)
    assert not slow.done()
    await rig.endpoint.answer(effects())
    await slow
    await rig.close()


async def test_a_pause_lets_nothing_more_in(rig: Rig) -> None:
    rig.driver.pause()
    waiting = asyncio.ensure_future(rig.inlet.room())
    rig.accept(A)
    await rig.endpoint.answer(effects())
    await rig.driver.settle()
    assert not waiting.done()
    waiting.cancel()


# ------------------------------------------------------------------------------------------------------------ failures


async def fail_a_commit(rig: Rig) -> "asyncio.Future[None]":
    """Let the commit of an accepted message fail; what waits for it."""
    rig.store.open.clear()
    rig.store.error = StoreError("no space left on device")
    waiting = asyncio.ensure_future(rig.inlet.durable(rig.accept(A)))
    await turns()
    rig.store.open.set()
    with pytest.raises(StoreError, match="no space left"):
        await rig.driver.failed()
    return waiting


async def test_a_failed_commit_fails_everybody_who_waits_for_it(rig: Rig) -> None:
    waiting = await fail_a_commit(rig)
    with pytest.raises(StoreError, match="the epoch will not become durable: no space left on device"):
        await waiting


async def test_after_a_failed_commit_nothing_is_accepted_waited_for_or_committed(rig: Rig) -> None:
    waiting = await fail_a_commit(rig)
    rig.store.error = None
    with pytest.raises(StoreError, match="has stopped taking messages"):
        rig.accept(A)
    with pytest.raises(StoreError, match="has stopped taking messages"):
        await rig.inlet.durable(rig.engine.epoch.number)
    with pytest.raises(StoreError, match="no space left"):
        await rig.driver.settle()
    assert rig.store.commits == []
    assert isinstance(waiting.exception(), StoreError)


async def test_a_rejected_record_is_a_dead_letter_before_the_others_go_on(rig: Rig) -> None:
    rig.accept(A)
    await rig.endpoint.answer(effects(record=b"out"))
    batch = await rig.egress.batches.get()
    rig.store.open.clear()
    rejecting = asyncio.create_task(rig.outlet.reject(batch, {0: Rejected("there", b"out", "too large")}))
    await turns()
    assert not rejecting.done()
    rig.store.open.set()
    assert list((await rejecting).records) == []
    assert len(list(rig.store.scan(Table.DEAD_LETTERS))) == 1


async def test_a_record_that_an_ingress_rejects_is_a_dead_letter_with_its_position(rig: Rig) -> None:
    epoch = rig.inlet.accept([], "t/0", b"8", [Rejected("t/0@7", b"raw", "has no key")])
    await rig.inlet.durable(epoch)
    assert [len(list(rig.store.scan(table))) for table in (Table.DEAD_LETTERS, Table.POSITIONS)] == [1, 1]


async def test_after_a_failed_commit_no_record_is_released(rig: Rig) -> None:
    rig.store.open.clear()
    rig.store.error = StoreError("no space left on device")
    rig.accept(A)
    await rig.endpoint.answer(effects(record=b"out"))
    rig.store.open.set()
    with pytest.raises(StoreError):
        await rig.driver.failed()
    await turns()
    assert rig.egress.batches.empty()


async def test_after_a_failed_commit_whoever_waits_for_room_is_told() -> None:
    rig = Rig(limits=Limits(high_water=0)).start()
    room = asyncio.ensure_future(rig.inlet.room())
    waiting = await fail_a_commit(rig)
    with pytest.raises(StoreError, match="has stopped taking messages"):
        await room
    assert isinstance(waiting.exception(), StoreError)
    await rig.close()


async def test_an_error_in_the_engine_during_a_turn_ends_the_driver_and_nothing_more_is_committed(rig: Rig) -> None:
    rig.driver._endpoint_of = _no_endpoint
    waiting = asyncio.ensure_future(rig.inlet.durable(rig.engine.epoch.number))
    await turns()
    rig.accept(A)
    with pytest.raises(LookupError, match="no endpoint"):
        await rig.driver.failed()
    with pytest.raises(StoreError, match="will not become durable: no endpoint"):
        await waiting
    with pytest.raises(LookupError, match="no endpoint"):
        await rig.driver.settle()
    assert rig.store.commits == []


def _no_endpoint(typename: str) -> Endpoint:
    raise LookupError(f"no endpoint serves {typename}")


async def test_an_error_while_a_reply_is_applied_ends_the_driver_and_half_a_reply_is_never_committed() -> None:
    rig = Rig(commit_interval=0.01).start()
    await rig.inlet.durable(rig.accept(A))
    broken = effects(Send(B, b"half"))
    broken.delayed.append(DelayedSend("soon", B, b"", ""))  # type: ignore[arg-type]
    # A commit is due soon when the reply arrives.
    rig.accept(B)
    await turns()
    timer = rig.driver._commit_timer
    assert timer is not None
    await rig.endpoint.answer(broken)
    with pytest.raises(TypeError):
        await rig.driver.failed()
    rig.driver._commit_later()
    await rig.close()
    assert len(rig.store.commits) == 1


# --------------------------------------------------------------------------------------------------------------- stops


async def test_finish_calls_waits_for_replies_and_makes_no_new_call(rig: Rig) -> None:
    rig.accept(A)
    batch, reply_to = await rig.endpoint.calls.get()
    finishing = asyncio.ensure_future(rig.driver.finish_calls())
    await turns()
    rig.accept(B)
    await turns()
    assert not finishing.done()
    reply_to(batch, effects(Send(A, b"next")))
    await finishing
    await rig.driver.settle()
    assert rig.endpoint.calls.empty()
    assert len(list(rig.store.scan(Table.MAILBOX))) == 2


async def test_finish_calls_returns_at_once_when_no_call_is_under_way(rig: Rig) -> None:
    await rig.driver.finish_calls()
    rig.accept(A)
    await rig.driver.settle()
    assert rig.endpoint.calls.empty()
    assert len(list(rig.store.scan(Table.MAILBOX))) == 1


async def test_finish_calls_ends_with_the_driver(rig: Rig) -> None:
    rig.accept(A)
    await rig.endpoint.calls.get()
    finishing = asyncio.ensure_future(rig.driver.finish_calls())
    await turns()
    waiting = await fail_a_commit(rig)
    await finishing
    assert isinstance(waiting.exception(), StoreError)


async def test_settle_makes_everything_durable_that_there_is(rig: Rig) -> None:
    for _ in range(3):
        rig.accept(A)
        await rig.endpoint.answer(effects(Send(B, b"on"), record=b"out"))
        await turns()
    epoch = rig.engine.epoch.number
    await rig.driver.settle()
    assert rig.engine.durable >= epoch - 1
    assert not rig.engine.epoch.has_changes()


async def test_settle_raises_when_the_last_epoch_does_not_become_durable(rig: Rig) -> None:
    rig.store.error = StoreError("no space left on device")
    rig.accept(A)
    with pytest.raises(StoreError, match="no space left"):
        await rig.driver.settle()


async def test_settle_of_an_idle_driver_writes_nothing(rig: Rig) -> None:
    await rig.driver.settle()
    assert len(rig.store.commits) == 1, "the states that functions declare at the start"
    await rig.driver.settle()
    assert len(rig.store.commits) == 1
