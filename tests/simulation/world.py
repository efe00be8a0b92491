"""The real engine over a store that survives crashes, with time, replies and commits moved by hand.

A crash keeps the store and what egresses have written, and loses everything else. An egress here is exactly-once: a
batch that comes again must be the one it has.
"""

from collections.abc import Callable
from random import Random

from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import Limits
from statefun_runtime.epoch import Epoch
from statefun_runtime.interfaces import Address, Arrival, Batch, OutboxBatch, Payload, Reply, Table
from statefun_runtime.reading import answer_reads
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.outbox import read_batch
from statefun_runtime.store.queries import read_values
from statefun_runtime.store.recovery import recover, release_misconfigured

EGRESS = "test/egress"


class World:
    """One application on one store, over any number of crashes."""

    def __init__(
        self, function: Callable[[Batch], Reply], limits: Limits | None = None, seed: int = 0, egress: str = EGRESS
    ) -> None:
        self.function = function
        self.egress = egress
        self.limits = limits or Limits()
        self.random = Random(seed)
        self.store = MemoryStore()
        self.now = 1_000_000
        self.written: dict[int, list[Payload]] = {}
        self.crashes = 0
        self._start()

    def _start(self) -> None:
        release_misconfigured(self.store)
        recovery = recover(self.store)
        self.positions = recovery.positions
        self.engine = Engine(recovery, [self.egress], self.limits, self.random)
        self.engine.tick(self.now)
        self.in_flight: list[Batch] = []
        self.cut_epoch: Epoch | None = None
        self.releasable: list[OutboxBatch] = []
        self._hand_out()

    def crash(self) -> None:
        """Lose memory; an epoch that was being written is lost too."""
        self.crashes += 1
        self._start()

    # ------------------------------------------------------------------------------------------------------- one step

    def accept(self, target: Address, payload: Payload, position: bytes | None = None) -> int:
        return self.engine.accept("ingress", [Arrival(target, payload)], "", position)

    def advance(self, milliseconds: int) -> None:
        self.now += milliseconds
        self.engine.tick(self.now)

    def load(self) -> None:
        while answer_reads(self.engine, self.store):
            pass

    def dispatch(self, limit: int = 64) -> None:
        self.load()
        self.in_flight += self.engine.next_batches(limit)

    def reply(self, batch: Batch, reply: Reply | None = None) -> None:
        self.in_flight.remove(batch)
        self.engine.reply(batch, self.function(batch) if reply is None else reply)

    def cut(self) -> None:
        if self.cut_epoch is None:
            self.cut_epoch = self.engine.cut()

    def commit(self) -> None:
        """Make the cut epoch durable, tell the engine, let the egress write."""
        epoch, self.cut_epoch = self.cut_epoch, None
        if epoch is not None:
            self.store.commit(changes_of(epoch, self.engine.lineage))
            for _, batch in self.engine.committed(epoch):
                self._write(batch)

    def commit_and_crash(self) -> None:
        """Make the cut epoch durable and crash before anybody hears of it."""
        if self.cut_epoch is not None:
            self.store.commit(changes_of(self.cut_epoch, self.engine.lineage))
        self.crash()

    def _write(self, batch: OutboxBatch) -> None:
        assert self.written.setdefault(batch.epoch, list(batch.records)) == list(batch.records)
        self.releasable.append(batch)

    def release(self) -> None:
        if self.releasable:
            self.engine.released(self.egress, self.releasable.pop(0).epoch, b"position")
            self._hand_out()

    def _hand_out(self) -> None:
        while (epoch := self.engine.outbox.next(self.egress)) is not None:
            self._write(read_batch(self.store, self.egress, epoch))

    # ------------------------------------------------------------------------------------------------------ the whole

    def run(self, rounds: int = 10_000) -> None:
        """Go on without faults until nothing is left to do now or later."""
        for _ in range(rounds):
            self.dispatch()
            for batch in list(self.in_flight):
                self.reply(batch)
            while self.releasable:
                self.release()
            self.cut()
            if self.cut_epoch is not None:
                self.commit()
            elif not self.engine.mailboxes.runnable or self.engine.next_time() is not None:
                due = self.engine.next_time()
                if due is None:
                    self._settle()
                    return
                self.advance(max(1, due - self.now))
        raise AssertionError(f"still busy after {rounds} rounds")

    def _settle(self) -> None:
        epoch = self.engine.cut(everything=True)
        if epoch is not None:
            self.store.commit(changes_of(epoch, self.engine.lineage))
            assert self.engine.committed(epoch) == []

    def state(self, address: Address) -> dict[str, Payload]:
        """The durable values of an address."""
        [values] = read_values(self.store, [address])
        return {name: payload for name, (_, payload) in values.items()}

    def rows_left(self) -> dict[str, int]:
        """Rows of everything that should be gone when all work is done."""
        tables = (Table.MAILBOX, Table.DELAYED, Table.TOKENS, Table.OUTBOX, Table.PARKED)
        return {table.value: count for table in tables if (count := len(list(self.store.scan(table))))}
