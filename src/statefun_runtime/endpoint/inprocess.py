"""Functions hosted in this process: no request and no reply is encoded, only the values are."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

from statefun import Message, Reject, RetryLater, StatefulFunctions, StatefulFunctionSpec, ValueSpec
from statefun.address import CallerSource
from statefun.effects import Effects as EffectsSink
from statefun.egress import EgressMessage
from statefun.invocation import Call, invoke, invoke_sync
from statefun.message import make_message
from statefun.storage import encoded_mutations
from statefun.typename import split_typename
from statefun_runtime.endpoint.hosted import Hosted
from statefun_runtime.endpoint.isolation import Suspended, start
from statefun_runtime.endpoint.loop_watch import LoopWatch
from statefun_runtime.interfaces import (
    Batch,
    Cancellation,
    DelayedSend,
    Effects,
    EgressRecord,
    ExpireMode,
    Failure,
    FailureKind,
    Reply,
    ReplyTo,
    Send,
    StateSpec,
)

_log = logging.getLogger(__name__)
_MILLISECOND = timedelta(milliseconds=1)
_Queued: TypeAlias = tuple[StatefulFunctionSpec, Batch, ReplyTo]


class _Sink(Effects, EffectsSink):
    """Collects the effects of one batch as the engine takes them."""

    __slots__ = ()

    def send(self, message: Message) -> None:
        typename = message.target_typename
        split_typename(typename)
        self.sends.append(Send((typename, message.target_id), message.payload()))

    def send_after(self, delay_ms: int, message: Message, token: str) -> None:
        typename = message.target_typename
        split_typename(typename)
        self.delayed.append(DelayedSend(delay_ms, (typename, message.target_id), message.payload(), token))

    def cancel(self, token: str) -> None:
        self.delayed.append(Cancellation(token))

    def egress(self, message: EgressMessage) -> None:
        split_typename(message.typename)
        self.egresses.append(EgressRecord(message.typename, message.payload()))


class InProcessEndpoint(Hosted):
    """Calls functions directly.

    A plain function runs at once. Async functions share a task as long as they do not wait; one that waits keeps the
    task for itself, and the calls behind it get another. So a function that never waits costs no turn of the event
    loop, and one that does is in a real task, with a context of its own.
    """

    def __init__(self, functions: StatefulFunctions, call_timeout: float) -> None:
        """Args: `call_timeout` in seconds is how long a call may wait in all before it is cancelled and fails."""
        self._specs = {spec.typename: spec for spec in functions}
        self._call_timeout = call_timeout
        self._watch = LoopWatch()
        self._queue: deque[_Queued] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._draining = False
        """Whether a task is about to run, or runs, what is queued."""

    @property
    def place(self) -> str:
        return "in this process"

    @property
    def functions(self) -> Mapping[str, str]:
        return {typename: spec.location for typename, spec in self._specs.items()}

    def declared(self) -> Iterator[tuple[str, list[StateSpec]]]:
        return declared_states(self._specs.values())

    async def start(self) -> None:
        """Nothing to start."""

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        if self._stopped:
            return
        spec = self._specs[batch.target[0]]
        if not spec.is_async:
            began = time.perf_counter()
            reply = _run_sync(spec, batch)
            self._watch.ran(batch.target, time.perf_counter() - began)
            reply_to(batch, reply)
            return
        self._queue.append((spec, batch, reply_to))
        self._drain_queue()

    def _drain_queue(self) -> None:
        if self._queue and not self._draining:
            self._draining = True
            task = asyncio.create_task(self._drain(), name="functions")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _drain(self) -> None:
        while self._queue:
            spec, batch, reply_to = self._queue.popleft()
            call, sink = _open(spec, batch)
            began = time.perf_counter()
            try:
                suspended = start(invoke(call, _messages(batch)))
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - see `_failure`
                reply_to(batch, _failure(batch, error))
                continue
            finally:
                self._watch.ran(batch.target, time.perf_counter() - began)
            if suspended is None:
                reply_to(batch, _finish(call, sink))
                continue
            failure = await self._wait(batch, suspended)
            reply_to(batch, failure or _finish(call, sink))
            if self._draining:
                # Another task has taken over the queue meanwhile.
                return
            self._draining = True
        self._draining = False

    async def _wait(self, batch: Batch, suspended: Suspended) -> Failure | None:
        """Await a call; None if it has succeeded."""
        limit = _TimeLimit(self._call_timeout)
        self._draining = False
        self._drain_queue()
        try:
            await suspended
        except asyncio.CancelledError as error:
            if limit.is_over:
                return Failure(FailureKind.TRANSIENT, f"{_name(batch)} took longer than {self._call_timeout:g} s")
            if self._stopped:
                raise
            return _failure(batch, error)
        except Exception as error:  # noqa: BLE001 - see `_failure`
            return _failure(batch, error)
        finally:
            limit.end()
            self._watch.ran(batch.target, suspended.longest_step)
        return None

    async def stop(self) -> None:
        """Cancel the calls under way; they will be made again after the next start."""
        self._stopped = True
        self._queue.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _TimeLimit:
    """Cancels the current task after so many seconds, until its `end`."""

    __slots__ = ("_task", "_timer", "is_over")

    def __init__(self, seconds: float) -> None:
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._cancel)
        self.is_over = False

    def _cancel(self) -> None:
        if self._task is not None:
            self.is_over = True
            self._task.cancel()

    def end(self) -> None:
        """The call is over."""
        self._timer.cancel()
        if self.is_over and self._task is not None:
            self._task.uncancel()


def _run_sync(spec: StatefulFunctionSpec, batch: Batch) -> Reply:
    call, sink = _open(spec, batch)
    try:
        invoke_sync(call, _messages(batch))
    except Exception as error:  # noqa: BLE001 - see `_failure`
        return _failure(batch, error)
    return _finish(call, sink)


def _open(spec: StatefulFunctionSpec, batch: Batch) -> tuple[Call, _Sink]:
    sink = _Sink()
    return Call(spec, batch.target[1], spec.schema.open({**batch.state}), sink), sink


def _messages(batch: Batch) -> list[tuple[CallerSource, Message]]:
    typename, identifier = batch.target
    return [(caller, make_message(typename, identifier, payload)) for _, _, caller, payload in batch.messages]


def _finish(call: Call, sink: _Sink) -> Effects:
    """All effects, with what the batch wrote into its storage."""
    sink.mutations = encoded_mutations(call.storage)
    return sink


def _failure(batch: Batch, error: BaseException) -> Failure:
    """Whatever a function raises fails its batch, and nothing else."""
    reason = f"{_name(batch)}: {type(error).__name__}: {error}"
    if isinstance(error, RetryLater):
        return Failure(FailureKind.TRANSIENT, reason, error.after // _MILLISECOND)
    if isinstance(error, Reject):
        return Failure(FailureKind.PERMANENT, reason)
    _log.warning("the function %s failed, attempt %d", _name(batch), batch.attempt, exc_info=error)
    return Failure(FailureKind.TRANSIENT, reason)


def _name(batch: Batch) -> str:
    return f"{batch.target[0]} {batch.target[1]!r}"


def declared_states(functions: Iterable[StatefulFunctionSpec]) -> Iterator[tuple[str, list[StateSpec]]]:
    """The function types and the states they declare."""
    for spec in functions:
        yield spec.typename, [_state_spec(value) for value in spec.specs]


def _state_spec(value: ValueSpec[Any]) -> StateSpec:
    return StateSpec(value.name, value.type.typename, ExpireMode(value.expiration.mode.value), value.duration)
