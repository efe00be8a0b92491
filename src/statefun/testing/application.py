"""A whole application in memory and in virtual time, on the runtime's own engine.

The one place where the SDK uses the runtime (docs/adr/0007): the engine and its memory store, which need nothing but
protobuf.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from random import Random
from typing import TypeVar

from statefun.address import Address
from statefun.egress import EgressMessage
from statefun.functions import StatefulFunctions
from statefun.message import Message
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.typename import TypeNameLike
from statefun.value_spec import ValueSpec
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.interfaces import Arrival, Batch, Failure, Reply
from statefun_runtime.reading import answer_reads
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.queries import read_values
from statefun_runtime.store.recovery import recover

T = TypeVar("T")

_START = 1_700_000_000_000
_CALL_TIMEOUT = 60.0
_CALLS = 64


class Application:
    """Runs functions as the runtime would: order, batches, state and its expiry, delayed messages, retries.

    Each `send` and `advance` returns when nothing is left to do at that moment, and all of it is durable. A call that
    fails raises AssertionError, unless `allow_failures`; then it is retried in virtual time, and listed in `failures`.
    For plain tests, not for ones that run in an event loop.
    """

    def __init__(
        self, functions: StatefulFunctions, *, egresses: Iterable[TypeNameLike] = (), allow_failures: bool = False
    ) -> None:
        """Start with no state. Records for an egress not in `egresses` become dead letters, as in production."""
        self.failures: list[str] = []
        """Why calls failed, in order."""
        self._functions = functions
        self._egresses = [str(egress) for egress in egresses]
        self._allow_failures = allow_failures
        self._store = MemoryStore()
        self._now = _START
        self._written: dict[str, list[EgressMessage]] = {}
        self._start()

    def _start(self) -> None:
        self._engine = Engine(recover(self._store), self._egresses, Limits(), Random(0))  # noqa: S311  (repeatable back-off)
        self._engine.tick(self._now)
        self._endpoint = InProcessEndpoint(self._functions, _CALL_TIMEOUT)
        for typename, specs in self._endpoint.declared():
            self._engine.declare(typename, specs)
        for egress in self._egresses:
            # Every durable record was written in the step that made it durable.
            while (epoch := self._engine.outbox.next(egress)) is not None:
                self._engine.released(egress, epoch, None)

    def send(self, *messages: Message) -> None:
        """Send messages as an ingress would, and run all that follows from them now."""
        for message in messages:
            # Fails here, with the list of functions, rather than by parking an address.
            self._functions.for_typename(message.target_typename)
            target = (message.target_typename, message.target_id)
            self._engine.accept("test", [Arrival(target, message.payload())], "", None)
        asyncio.run(self._settle())

    def advance(self, **duration: float) -> None:
        """Let time pass, as in `advance(minutes=5)`, and run what becomes due on the way, each at its time."""
        end = self._now + timedelta(**duration) // timedelta(milliseconds=1)
        while (due := self._engine.next_time()) is not None and due <= end:
            self._pass_to(due)
        self._pass_to(end)

    def _pass_to(self, moment: int) -> None:
        self._now = max(self._now, moment)
        self._engine.tick(self._now)
        asyncio.run(self._settle())

    def restart(self) -> None:
        """Lose everything that is only in memory and recover, as after a crash."""
        self._start()
        asyncio.run(self._settle())

    def state(self, address: Address, spec: ValueSpec[T]) -> T | None:
        """The durable value of a state; None without one. An expired value goes with the next call of its address."""
        [values] = read_values(self._store, [(address.typename, address.id)])
        if spec.name not in values:
            return None
        return spec.type.deserialize(TypedValue.FromString(values[spec.name][1]).value)

    def egress(self, egress: TypeNameLike) -> list[EgressMessage]:
        """What was released to an egress so far, in order."""
        return list(self._written.get(str(egress), ()))

    @property
    def pending_delayed(self) -> int:
        """How many delayed messages wait."""
        return self._engine.delayed.count

    async def _settle(self) -> None:
        waiting: set[Batch] = set()
        answered = asyncio.Event()

        def reply_to(batch: Batch, reply: Reply) -> None:
            waiting.discard(batch)
            answered.set()
            if isinstance(reply, Failure):
                self.failures.append(reply.reason)
            self._engine.reply(batch, reply)

        while True:
            has_read = answer_reads(self._engine, self._store)
            batches = self._engine.next_batches(_CALLS)
            waiting.update(batches)
            for batch in batches:
                self._endpoint.invoke(batch, reply_to)
            if waiting:
                await answered.wait()
                answered.clear()
            elif not batches and not has_read and not self._commit():
                break
        if self.failures and not self._allow_failures:
            raise AssertionError(f"a call failed: {self.failures[0]}")

    def _commit(self) -> bool:
        epoch = self._engine.cut()
        if epoch is None:
            return False
        self._store.commit(changes_of(epoch, self._engine.lineage))
        for egress, batch in self._engine.committed(epoch):
            written = self._written.setdefault(egress, [])
            written += [EgressMessage(egress, record) for record in batch.records]
            self._engine.released(egress, batch.epoch, None)
        return True
