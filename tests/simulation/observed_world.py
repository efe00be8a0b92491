"""The world of a simulation: its store answers late, clients ask, and it remembers what an oracle must know."""

from collections import Counter
from collections.abc import Callable
from random import Random

from statefun_runtime.answer import REQUESTS
from statefun_runtime.egress.kafka_marker import Marker
from statefun_runtime.engine.limits import FailurePolicy, Limits, OnFailure
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.reads import Page
from statefun_runtime.epoch import DeadLetter, Epoch
from statefun_runtime.interfaces import (
    Address,
    Batch,
    Failure,
    FailureKind,
    OutboxBatch,
    Payload,
    Reply,
    Table,
)
from statefun_runtime.operation import Action, Operation, Target
from statefun_runtime.operation_runner import perform
from statefun_runtime.reading import answer_ranges, read_page, read_stored
from statefun_runtime.store import keys, rows
from statefun_runtime.store.renaming import rename_function

from .application import Application
from .clients import Clients
from .plan import Plan, original
from .world import World


class ObservedWorld(World):
    """A world in which a plan is run, and what must be known about it afterwards."""

    def __init__(self, random: Random, seed: int) -> None:
        self.plan = Plan(random)
        self.application = Application(self.plan)
        self.situations: Counter[str] = Counter()
        self.clients = Clients()
        self.dispatches: dict[Address, list[int]] = {address: [] for address in self.plan.addresses}
        """When each address was called, whatever became of it."""
        self.durable_at: dict[int, int] = {}
        """By node, since when its effects are durable."""
        self.crashes_at: dict[int, int] = {}
        """By node, how many crashes there had been then."""
        self.resent: set[int] = set()
        self._parked: set[Address] = set()
        """Addresses that must not be called."""
        self.handed_in: int = 0
        self.is_down = False
        """Whether nobody serves the functions."""
        self.has_marker = random.random() < 0.5
        """Whether the sink knows by a marker what it has, as a topic does, or is cut to its position, as a file is."""
        self._marker = Marker()
        self.is_late = random.random() < 0.5
        self.late: list[Callable[[], None]] = []
        """Answers of the store that have not arrived yet; none if it is not late."""
        super().__init__(self._answer, _limits(random), seed)

    def _answer(self, batch: Batch) -> Reply:
        if self.is_down:
            self.situations["outage"] += 1
            return Failure(FailureKind.MISCONFIGURED, "nobody serves it")
        return self.application.run(batch, int(batch.sent_at), self.now)

    def dispatch(self, limit: int = 64) -> None:
        before = len(self.in_flight)
        super().dispatch(limit)
        for batch in self.in_flight[before:]:
            assert batch.target not in self._parked, f"{batch.target} is parked and was called"
            batch.sent_at = self.now
            if batch.target[0] != REQUESTS:
                self.dispatches[original(batch.target)].append(self.now)

    def reply(self, batch: Batch, reply: Reply | None = None) -> None:
        if reply is None and batch.target[0] == REQUESTS:
            self.in_flight.remove(batch)
            self.clients.invoke(batch)
        else:
            super().reply(batch, reply)
        self.load()

    def state(self, address: Address) -> dict[str, Payload]:
        """The durable values of an address, named as at first."""
        return super().state((self.limits.aliases.get(address[0], address[0]), address[1]))

    def load(self) -> None:
        """Answer ranges at once, and states and pages too, or when a step says so."""
        for _ in range(1000):
            reads = self.engine.take_reads()
            if reads is None:
                return
            self.situations["token read from the store"] += bool(reads.tokens)
            self.situations["page read"] += bool(reads.pages)
            self.situations["pass over cold addresses"] += bool(reads.cold)
            self.situations["delayed messages read"] += reads.delayed is not None
            answer_ranges(self.engine, self.store, reads)
            self.late += [self._state_answer(mailbox) for mailbox in reads.states]
            self.late += [self._page_answer(page) for page in reads.pages]
            if not self.is_late:
                self.answer_late(len(self.late))
        raise AssertionError("the engine reads without end")

    def _state_answer(self, mailbox: Mailbox) -> Callable[[], None]:
        [(_, stored)] = read_stored(self.store, [mailbox])
        return lambda: self.engine.mailboxes.loaded(mailbox, stored)

    def _page_answer(self, page: Page) -> Callable[[], None]:
        messages, is_last = read_page(self.store, page)
        return lambda: self.engine.mailboxes.paged_in(page, messages, is_last=is_last)

    def answer_late(self, count: int) -> None:
        """Let the first answers of the store that are late arrive."""
        now, self.late = self.late[:count], self.late[count:]
        for answer in now:
            answer()

    def commit(self) -> None:
        epoch, addresses = self.cut_epoch, self.engine.mailboxes.addresses
        super().commit()
        if epoch is not None:
            self.note_durable(epoch)
            self.clients.go_on()
            self.situations["address left the memory"] += self.engine.mailboxes.addresses < addresses

    def commit_and_crash(self) -> None:
        epoch = self.cut_epoch
        self.situations["crash before a commit was told of"] += epoch is not None
        if epoch is not None:
            self.note_durable(epoch)
        super().commit_and_crash()

    def note_durable(self, epoch: Epoch) -> None:
        """Take note of what an epoch did, which is on disk."""
        self.situations["parked"] += any(epoch.parked.values())
        self.situations["resumed after a crash"] += bool(self.crashes and None in epoch.parked.values())
        self.situations["dead letter"] += bool(epoch.dead_letters)
        self.situations["dead letter sent again"] += bool(epoch.dead_letters_gone)
        self._parked |= {address for address, parked in epoch.parked.items() if parked is not None}
        for values in epoch.state.values():
            if "history" in values:
                for entry in self.application.history(values["history"][1]):
                    if entry.node in self.durable_at:
                        break
                    self.durable_at[entry.node], self.crashes_at[entry.node] = self.now, self.crashes

    def crash(self) -> None:
        mailboxes = list(self.engine.mailboxes.in_memory())
        cold = any(each.cold_from is not None for each in self.engine.mailboxes.types.values())
        self.situations["crash with a spilled mailbox"] += any(each.newest > each.paged for each in mailboxes)
        self.situations["crash with cold addresses"] += cold
        self.situations["crash during a call"] += bool(self.in_flight)
        self.situations["crash during a commit"] += self.cut_epoch is not None
        self.situations["crash with an outbox"] += bool(self.releasable)
        self.situations["crash with a delayed message"] += bool(self.engine.delayed.count)
        for batch in self.releasable[: self.random.choice((0, 0, 1, 2))]:
            self._put_out(batch)
        super().crash()

    def _start(self) -> None:
        self.late = []
        self.rename_functions()
        super()._start()
        self.clients.start(self.engine)
        self._parked = set(self.parked_rows())
        self.handed_in = int(self.positions.get("ingress", {}).get("", b"0"))
        self.load()

    def rename_functions(self) -> None:
        """Bring the store to the names that functions have now, as a start does."""
        for old, new in self.limits.aliases.items():
            rename_function(self.store, old, new)

    def _write(self, batch: OutboxBatch) -> None:
        """Hand a batch to the egress: it is out when the egress says so, or perhaps at a crash."""
        assert batch.epoch <= self.engine.durable
        assert self.written.get(batch.epoch, list(batch.records)) == list(batch.records)
        self.releasable.append(batch)

    def _put_out(self, batch: OutboxBatch) -> None:
        if self.has_marker and self._marker.has(batch.lineage, batch.epoch):
            self.situations["record that the sink has"] += 1
        else:
            self.written[batch.epoch] = list(batch.records)
            self._marker = self._marker.after(batch.lineage, batch.epoch)

    def release(self) -> None:
        for batch in self.releasable[:1]:
            self._put_out(batch)
        super().release()

    def parked_rows(self) -> list[Address]:
        """The addresses that are parked durably."""
        return [keys.read_address(key)[0] for key, _ in self.store.scan(Table.PARKED)]

    def dead_letters(self) -> list[DeadLetter]:
        """Those that are durable."""
        return [
            rows.read_dead_letter(keys.read_number(key, 0), row) for key, row in self.store.scan(Table.DEAD_LETTERS)
        ]

    def letters(self) -> dict[int, int]:
        """The node of each durable dead letter, by its number."""
        return {letter.number: int(letter.message[3]) for letter in self.dead_letters()}

    def operate(self, action: Action, *targets: Target) -> None:
        """Let an operator act."""
        self.answer_late(len(self.late))
        self._parked -= set(targets)
        for outcome in perform(self.engine, self.store, Operation(action, targets, "operator")):
            self.situations[f"operator: {action.value}"] += outcome.done
        self.load()


def _limits(random: Random) -> Limits:
    on_failure = random.choice(tuple(OnFailure))
    return Limits(
        max_batch=random.choice((1, 2, 5, 1000)),
        max_in_flight=random.choice((1, 3, 64)),
        high_water=random.choice((1, 5, 1000)),
        crowded=random.choice((1, 4)),
        max_ready=random.choice((1, 256)),
        outbox_memory=random.choice((0, 100, 1_000_000)),
        max_queued=random.choice((1, 3, 10, 1000)),
        page=random.choice((1, 2, 1000)),
        cache_bytes=random.choice((0, 3000, 1 << 20)),
        max_epoch=random.choice((1, 10, 100_000)),
        delayed_window=random.choice((1, 3, 1000)),
        retry_max=random.choice((10, 1000)),
        policies={"test/*": FailurePolicy(on_failure, max_attempts=1_000_000, bisect=random.random() < 0.5)},
    )
