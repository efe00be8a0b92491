"""Requests on a driver whose answers and commits the tests move by hand."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.answer import REQUESTS, Answer, AnswerKind
from statefun_runtime.engine.limits import FailurePolicy, Limits, OnFailure
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import (
    Address,
    Arrival,
    Effects,
    Failure,
    FailureKind,
    Request,
    Send,
    Table,
)
from statefun_runtime.metrics import RequestFigures
from statefun_runtime.operation import Action, Operation
from statefun_runtime.operation_runner import LiveOperations
from statefun_runtime.reading import find_parked
from statefun_runtime.requests.endpoint import RequestEndpoint
from statefun_runtime.requests.live import LiveRequests
from statefun_runtime.requests.record import request_states
from statefun_runtime.requests.waiting import Waiting
from tests.runtime.driver_rig import A, B, HeldStore, Rig, effects, turns

BROKEN = Failure(FailureKind.PERMANENT, "broken")
PAYLOAD = TypedValue(typename="test/text", has_value=True, value=b"hello").SerializeToString()
REPLY = TypedValue(typename="test/text", has_value=True, value=b"reply").SerializeToString()


class RequestRig(Rig):
    """A driver with requests."""

    def start(self) -> "RequestRig":
        super().start()
        engine, self.figures = self.engine, RequestFigures()
        engine.declare(REQUESTS, request_states(1000))
        waiting = Waiting(self.figures)
        self.endpoints[REQUESTS] = RequestEndpoint(waiting, lambda: engine.epoch.number)
        find = partial(find_parked, engine, self.store)
        self.requests = LiveRequests(waiting, self.figures, self.inlet, find, self.limits.aliases)
        self.driver.when_durable.append(self.requests.durable)
        self.driver.failure.add_done_callback(self.requests.failed)
        return self

    def call(
        self, key: str | None = None, target: Address = A, fingerprint: str = "", seconds: float = 10
    ) -> "asyncio.Task[Answer]":
        request = Request(
            (Arrival(target, PAYLOAD),), awaits_reply=True, key=key, scope="call", fingerprint=fingerprint
        )
        return asyncio.create_task(self.requests.ask(request, seconds))

    def send(self, key: str, fingerprint: str = "") -> "asyncio.Task[Answer]":
        request = Request((Arrival(A, PAYLOAD), Arrival(B, PAYLOAD)), False, key, "send", fingerprint)
        return asyncio.create_task(self.requests.ask(request, None))

    async def operate(self, action: Action) -> None:
        """Let an operator do something to the address that is called."""
        (outcome,) = await LiveOperations(self.driver, self.store).perform(Operation(action, (A,), "me"))
        assert outcome.done

    async def reply(self, payload: bytes = REPLY) -> Address:
        """Let the function reply to the callers of its next call; return the last of them."""
        batch, reply_to = await self.endpoint.calls.get()
        callers = [message[2] for message in batch.messages]
        reply_to(batch, effects(*(Send(caller, payload) for caller in callers if caller is not None)))
        assert callers[-1] is not None
        return callers[-1]


@pytest.fixture
async def rig() -> AsyncIterator[RequestRig]:
    rig = RequestRig().start()
    yield rig
    await rig.close()


async def is_waiting(task: "asyncio.Task[Answer]") -> bool:
    await turns()
    return not task.done()


@pytest.mark.parametrize("key", [None, "key"])
async def test_a_call_gets_what_the_function_sends_to_its_caller(rig: RequestRig, key: str | None) -> None:
    call = rig.call(key)
    await rig.reply()
    assert await call == Answer(AnswerKind.REPLIED, REPLY)
    assert (rig.figures.waiting, rig.figures.answers) == (0, {"replied": 1})
    assert rig.figures.latency.count == 1


@pytest.mark.parametrize("key", [None, "key"])
async def test_the_reply_is_given_when_its_epoch_is_durable_and_not_before(rig: RequestRig, key: str | None) -> None:
    rig.store.open.clear()
    call = rig.call(key)
    await rig.reply()
    assert await is_waiting(call)
    rig.store.open.set()
    assert (await call).kind is AnswerKind.REPLIED


@pytest.mark.parametrize("key", [None, "key"])
async def test_a_call_whose_epoch_will_never_be_durable_fails(rig: RequestRig, key: str | None) -> None:
    rig.store.error = StoreError("the disk is gone")
    with pytest.raises(StoreError, match="the disk is gone"):
        await rig.call(key)
    assert rig.figures.answers == {"not durable": 1}


async def test_without_a_key_nothing_is_kept_and_an_orphan_reply_is_counted(rig: RequestRig) -> None:
    call = rig.call(seconds=0.01)
    batch, reply_to = await rig.endpoint.calls.get()
    with pytest.raises(TimeoutError):
        await call
    caller = batch.messages[0][2]
    assert caller is not None
    reply_to(batch, effects(Send(caller, REPLY)))
    await rig.driver.all_durable()
    assert (rig.figures.answers, rig.figures.unused_replies) == ({"no reply in time": 1}, {"orphan": 1})
    assert not rig.engine.pending


async def test_of_several_replies_the_first_one_counts(rig: RequestRig) -> None:
    call, batch_and_reply = rig.call("key"), rig.endpoint.calls.get()
    batch, reply_to = await batch_and_reply
    caller = batch.messages[0][2]
    assert caller is not None
    reply_to(batch, effects(Send(caller, REPLY), Send(caller, PAYLOAD)))
    assert (await call).payload == REPLY
    assert rig.figures.unused_replies == {"late": 1}


async def test_two_replies_to_a_call_without_a_key_count_one_late(rig: RequestRig) -> None:
    call = rig.call()
    batch, reply_to = await rig.endpoint.calls.get()
    caller = batch.messages[0][2]
    assert caller is not None
    reply_to(batch, effects(Send(caller, REPLY), Send(caller, PAYLOAD)))
    assert (await call).payload == REPLY
    assert rig.figures.unused_replies == {"late": 1}


async def test_repeats_of_a_key_are_handled_once_and_all_get_the_reply(rig: RequestRig) -> None:
    calls = [rig.call("key"), rig.call("key")]
    await turns()
    calls.append(rig.call("key"))
    await turns()
    assert rig.endpoint.calls.qsize() == 1
    await rig.reply()
    later = rig.call("key")
    assert {await call for call in [*calls, later]} == {Answer(AnswerKind.REPLIED, REPLY)}
    assert rig.endpoint.calls.empty()


async def test_another_message_with_the_key_of_a_call_is_a_conflict_and_never_gets_its_reply(rig: RequestRig) -> None:
    first, other = rig.call("key"), rig.call("key", fingerprint="other")
    assert (await other).kind is AnswerKind.CONFLICT
    await rig.reply()
    assert (await first).kind is AnswerKind.REPLIED


async def test_messages_with_a_key_are_sent_once_and_accepted_each_time_when_they_are_durable(rig: RequestRig) -> None:
    rig.store.open.clear()
    first, second = rig.send("key"), rig.send("key")
    assert await is_waiting(first)
    assert await is_waiting(second)
    rig.store.open.set()
    assert {await first, await second, await rig.send("key")} == {Answer(AnswerKind.ACCEPTED)}
    assert {(await rig.endpoint.answer(Effects())).target for _ in range(2)} == {A, B}
    await rig.driver.all_durable()
    assert rig.endpoint.calls.empty()
    assert (await rig.send("key", "other")).kind is AnswerKind.CONFLICT


@pytest.mark.parametrize("key", [None, "key"])
async def test_a_call_whose_target_parks_is_told_why_once_that_is_durable(rig: RequestRig, key: str | None) -> None:
    call, other = rig.call(key), rig.call(key, B)
    await turns()
    rig.store.open.clear()
    for _ in range(2 if key is None else 1):
        batch, reply_to = await rig.endpoint.calls.get()
        if batch.target == A:
            reply_to(batch, BROKEN)
    assert await is_waiting(call)
    rig.store.open.set()
    assert await call == Answer(AnswerKind.PARKED, reason="broken")
    if key is None:
        assert await is_waiting(other)
    other.cancel()


async def test_a_call_without_a_key_is_not_taken_by_an_address_that_is_parked(rig: RequestRig) -> None:
    call = rig.call()
    await rig.endpoint.answer(BROKEN)
    await call
    assert await rig.call() == Answer(AnswerKind.REFUSED, reason="broken")
    assert rig.engine.pending == 1


async def test_a_call_with_a_key_waits_at_a_parked_address_and_gets_its_reply_after_it_was_resumed(
    rig: RequestRig,
) -> None:
    await asyncio.gather(rig.call("key"), rig.endpoint.answer(BROKEN))
    for key in ("key", "another"):
        assert await rig.call(key) == Answer(AnswerKind.PARKED, reason="broken")
    await rig.operate(Action.RESUME)
    await rig.reply()
    assert await rig.call("key") == await rig.call("another") == Answer(AnswerKind.REPLIED, REPLY)


async def test_after_a_restart_a_call_with_a_key_still_finds_that_its_target_is_parked() -> None:
    store = HeldStore()
    first = RequestRig(store=store).start()
    await asyncio.gather(first.call("key"), first.endpoint.answer(BROKEN))
    await first.close()
    second = RequestRig(store=store).start()
    assert (await second.call("key")).kind is AnswerKind.PARKED
    assert (await second.call()).kind is AnswerKind.REFUSED
    await second.close()


@pytest.mark.parametrize("key", [None, "key"])
async def test_a_call_whose_message_becomes_a_dead_letter_is_told_why(key: str | None) -> None:
    rig = RequestRig(limits=Limits(policies={"test/f": FailurePolicy(OnFailure.DEAD_LETTER)})).start()
    call = rig.call(key)
    await rig.endpoint.answer(BROKEN)
    assert await call == Answer(AnswerKind.DEAD_LETTER, reason="broken")
    if key is not None:
        assert await rig.call(key) == Answer(AnswerKind.DEAD_LETTER, reason="broken")
    await rig.close()


async def test_the_reply_of_a_dead_letter_that_is_sent_again_takes_the_place_of_the_failure() -> None:
    rig = RequestRig(limits=Limits(policies={"test/f": FailurePolicy(OnFailure.DEAD_LETTER)})).start()
    await asyncio.gather(rig.call("key"), rig.endpoint.answer(BROKEN))
    await rig.driver.all_durable()
    ((key, _),) = rig.store.scan(Table.DEAD_LETTERS)
    resend = Operation(Action.RESEND, (int.from_bytes(key),), "me")
    await LiveOperations(rig.driver, rig.store).perform(resend)
    await rig.reply()
    assert await rig.call("key") == Answer(AnswerKind.REPLIED, REPLY)
    await rig.close()


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Action.SKIP, "broken"),
        (Action.PURGE, "broken"),
        (Action.DISCARD, "deleted by an operator; it could not be handled: broken"),
    ],
)
async def test_a_call_whose_message_an_operator_takes_out_is_told_so(
    rig: RequestRig, action: Action, reason: str
) -> None:
    await asyncio.gather(rig.call("key"), rig.endpoint.answer(BROKEN))
    await rig.operate(action)
    assert await rig.call("key") == Answer(AnswerKind.DEAD_LETTER, reason=reason)


async def test_after_a_crash_a_repeat_gets_the_reply_that_was_made() -> None:
    store = HeldStore()
    first = RequestRig(store=store).start()
    await asyncio.gather(first.call("key"), first.reply())
    await first.close()
    second = RequestRig(store=store).start()
    assert await second.call("key") == Answer(AnswerKind.REPLIED, REPLY)
    assert second.endpoint.calls.empty()
    await second.close()


async def test_an_answer_is_forgotten_when_its_time_is_over(rig: RequestRig) -> None:
    await asyncio.gather(rig.call("key"), rig.reply())
    rig.clock.time += 999
    assert (await rig.call("key")).kind is AnswerKind.REPLIED
    rig.clock.time += 1
    call = rig.call("key")
    await rig.reply(PAYLOAD)
    assert (await call).payload == PAYLOAD


async def test_a_call_to_the_former_name_of_a_function_is_told_that_it_parks() -> None:
    rig = RequestRig(limits=Limits(aliases={"test/former": "test/f"})).start()
    call = rig.call("key", ("test/former", "a"))
    await rig.endpoint.answer(BROKEN)
    assert (await call).kind is AnswerKind.PARKED
    await rig.close()


async def test_when_the_runtime_stops_those_who_wait_are_told_and_nobody_else_is_taken(
    rig: RequestRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statefun_runtime.requests.live.GRACE_SECONDS", 0.01)
    calls = [rig.call("key"), rig.call()]
    await turns()
    rig.requests.stop()
    assert (await rig.call()).kind is AnswerKind.STOPPED
    assert [(await call).kind for call in calls] == [AnswerKind.STOPPED, AnswerKind.STOPPED]
    assert not rig.figures.waiting


async def test_a_client_that_goes_away_leaves_nobody_waiting(rig: RequestRig) -> None:
    call = rig.call("key")
    await turns()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await rig.reply()
    assert (await rig.call("key")).kind is AnswerKind.REPLIED
    assert rig.figures.waiting == 0
