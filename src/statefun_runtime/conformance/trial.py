"""One tree of commands on a function server: the runtime's engine in memory and in virtual time, real calls."""

import asyncio
import json
from random import Random

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.conformance.commands import Message, messages
from statefun_runtime.conformance.outcome import Outcome, read_record, read_value
from statefun_runtime.conformance.trees import EGRESSES
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.errors import StatefunRuntimeError
from statefun_runtime.interfaces import Address, Arrival, Batch, Effects, Endpoint, Failure, FailureKind, Reply, Table
from statefun_runtime.reading import answer_reads
from statefun_runtime.store import rows
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.queries import read_values
from statefun_runtime.store.recovery import recover

_START = 1_700_000_000_000
_CALLS = 64
_LOST = 0.05
"""How many replies are taken for lost, so that their requests come again."""
_EGRESS_NAMES = {f"conformance/{kind}": kind for kind in EGRESSES}


class UnreachableError(StatefunRuntimeError):
    """Nobody answers at the address of the function server."""


class Trial:
    """Runs one tree to its end: all messages, also the delayed ones, and all retries.

    Raises UnreachableError from `run` if nobody answers. The endpoint is the caller's, which starts and stops it.
    """

    def __init__(self, endpoint: Endpoint, random: Random) -> None:
        """Begin without any state. `random` decides which replies are lost, and about back-off."""
        self.failures: list[str] = []
        """What addresses are parked for, with their names."""
        self._endpoint = endpoint
        self._random = random
        self._store = MemoryStore()
        self._engine = Engine(recover(self._store), _EGRESS_NAMES, Limits(), random)
        self._outcome = Outcome()
        self._unreachable: str | None = None

    async def run(self, target: str, root: Message) -> Outcome:
        """Send the root, do all that follows, and return what is there in the end."""
        self._engine.tick(_START)
        value = TypedValue(typename="conformance/Message", has_value=True, value=json.dumps(root).encode())
        self._engine.accept("conformance", [Arrival(_address(target), value.SerializeToString())], "", None)
        await self._settle()
        while (due := self._engine.next_time()) is not None:
            self._engine.tick(due)
            await self._settle()
        self._read_failures()
        instances = {instance for instance, _ in messages(target, root)}
        for instance in sorted(instances):
            self._read_states(instance)
        return self._outcome

    async def _settle(self) -> None:
        waiting: set[Batch] = set()
        answered = asyncio.Event()

        def reply_to(batch: Batch, reply: Reply) -> None:
            waiting.discard(batch)
            answered.set()
            self._engine.reply(batch, self._arrived(reply))

        while self._unreachable is None:
            has_read = answer_reads(self._engine, self._store)
            batches = self._engine.next_batches(_CALLS)
            waiting.update(batches)
            for batch in batches:
                self._endpoint.invoke(batch, reply_to)
            if waiting:
                await answered.wait()
                answered.clear()
            elif not batches and not has_read and not self._commit():
                return
        raise UnreachableError(self._unreachable)

    def _arrived(self, reply: Reply) -> Reply:
        if isinstance(reply, Effects) and self._random.random() < _LOST:
            return Failure(FailureKind.TRANSIENT, "the reply was lost on purpose")
        if isinstance(reply, Failure) and reply.kind is FailureKind.UNREACHABLE:
            self._unreachable = reply.reason
        return reply

    def _commit(self) -> bool:
        epoch = self._engine.cut()
        if epoch is None:
            return False
        self._store.commit(changes_of(epoch, self._engine.lineage))
        for egress, batch in self._engine.committed(epoch):
            kind = _EGRESS_NAMES[egress]
            self._outcome.records.update(read_record(kind, record) for record in batch.records)
            self._engine.released(egress, batch.epoch, None)
        return True

    def _read_states(self, instance: str) -> None:
        [values] = read_values(self._store, [_address(instance)])
        if values:
            self._outcome.states[instance] = {name: read_value(value[1]) for name, value in values.items()}

    def _read_failures(self) -> None:
        parked = [rows.read_parked(row) for _, row in self._store.scan(Table.PARKED)]
        self.failures += [f"a call failed for good: {each.reason}" for each in parked]
        letters = [rows.read_dead_letter(0, row) for _, row in self._store.scan(Table.DEAD_LETTERS)]
        self.failures += [f"a record went nowhere: {each.destination}: {each.reason}" for each in letters]


def _address(instance: str) -> Address:
    typename, _, identifier = instance.rpartition("/")
    return typename, identifier
