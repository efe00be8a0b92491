"""One run chosen by a seed: traffic, faults, crashes and operators, then a time without faults until all is done.

A run is a list of steps, each an action and a seed of its own, so that a step can be left out and the others still mean
the same.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

from statefun_runtime.engine.limits import FailurePolicy, Limits, OnFailure
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.reads import Page
from statefun_runtime.epoch import DeadLetter, Epoch
from statefun_runtime.interfaces import Address, Batch, Effects, Failure, FailureKind, OutboxBatch, Reply, Table
from statefun_runtime.operation import Action, Operation, Target
from statefun_runtime.operation_runner import perform
from statefun_runtime.reading import answer_ranges, read_page, read_stored
from statefun_runtime.store import keys, rows
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.recovery import recover
from statefun_runtime.store.restore import EgressFiles, begin_lineage
from statefun_runtime.sweep import ExpirySweep

from .application import Application
from .failed_commit import fail_commit
from .plan import Plan
from .wire import truncated
from .world import World

ROUNDS = 2000
"""Rounds without faults after which a run is stuck; the longest need some hundred."""


class Step(NamedTuple):
    """What happens next; `seed` decides what the action leaves open."""

    action: str
    seed: int


WEIGHTS = {
    "accept": 1.0,
    "dispatch": 2.0,
    "reply": 3.0,
    "fail": 0.6,
    "late_reply": 0.2,
    "truncated_reply": 0.05,
    "advance": 1.0,
    "cut": 1.0,
    "commit": 1.0,
    "release": 0.5,
    "answer": 1.0,
    "sweep": 0.2,
    "expire": 0.5,
    "heal": 0.05,
    "outage": 0.02,
    "operate": 0.15,
    "savepoint": 0.05,
    "restore": 0.03,
    "failed_commit": 0.05,
    "crash": 0.08,
    "commit_and_crash": 0.08,
}
"""How likely each action is before a seed has its way with it."""


class Simulation(World):
    """A world that takes steps, and remembers what an oracle must know."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self.plan = Plan(random)
        self.application = Application(self.plan)
        self.situations: Counter[str] = Counter()
        self.dispatches: dict[Address, list[int]] = {address: [] for address in self.plan.addresses}
        """When each address was called, whatever became of it."""
        self.durable_at: dict[int, int] = {}
        """By node, since when its effects are durable."""
        self.crashes_at: dict[int, int] = {}
        """By node, how many crashes there had been then."""
        self.resent: set[int] = set()
        self._parked: set[Address] = set()
        """Addresses that must not be called."""
        self.handed_in = 0
        self._outage = False
        self._savepoint: MemoryStore | None = None
        self._is_late = random.random() < 0.5
        self._late: list[Callable[[], None]] = []
        super().__init__(self._answer, _limits(random), seed)
        self.steps = _steps(random)

    def go(self, steps: Sequence[Step]) -> None:
        """Take all steps, then go on without faults."""
        for action, seed in steps:
            self.random.seed(seed)
            getattr(self, f"step_{action}")(self.random)
        self._outage = False
        self.application.healed |= {node.number for node in self.plan.nodes}
        self._is_late = False
        if self.random.random() < 0.5:
            self.crash()
        self._answer_late(len(self._late))
        while self.handed_in < len(self.plan.roots):
            self.step_accept(self.random)
        self.run(ROUNDS)
        while parked := self._parked_rows():
            self._operate(Action.RESUME, *parked)
            self.run(ROUNDS)

    # ----------------------------------------------------------------------------------------------------------- steps

    def step_accept(self, _: Random) -> None:
        """Hand in the next root of the ingress, whose position is part of the epoch."""
        if self.handed_in < len(self.plan.roots):
            root = self.plan.roots[self.handed_in]
            self.handed_in += 1
            self.accept(root.target, str(root.number).encode(), str(self.handed_in).encode())

    def step_dispatch(self, random: Random) -> None:
        self.dispatch(random.choice((1, 3)))

    def step_reply(self, random: Random) -> None:
        if self.in_flight:
            self.reply(random.choice(self.in_flight))

    def step_fail(self, random: Random) -> None:
        if self.in_flight:
            kind = random.choice((FailureKind.TRANSIENT, FailureKind.UNREACHABLE))
            self.situations[f"{kind.value} failure"] += 1
            self.reply(random.choice(self.in_flight), Failure(kind, "by chance"))

    def step_late_reply(self, random: Random) -> None:
        """A call times out, is made again, and the first one is answered all the same."""
        if self.in_flight:
            batch = random.choice(self.in_flight)
            late = self.function(batch)
            self.reply(batch, Failure(FailureKind.TRANSIENT, "timed out"))
            self.advance(100)
            self.dispatch()
            self.engine.reply(batch, late)
            self.load()
            self.situations["late reply"] += isinstance(late, Effects)

    def step_truncated_reply(self, random: Random) -> None:
        """A reply breaks off, and whoever sent it says that it is whole."""
        if self.in_flight:
            batch = random.choice(self.in_flight)
            reply = self.function(batch)
            if not isinstance(reply, Failure):
                self.situations["truncated reply"] += 1
                reply = truncated(reply, random, self.now)
            self.reply(batch, reply)

    def step_advance(self, random: Random) -> None:
        self.advance(random.choice((0, 1, 1, 20, 50, 400)))
        if random.random() < 0.1:
            self.engine.tick(self.now - 500)
            self.situations["clock stepped back"] += 1

    def step_cut(self, _: Random) -> None:
        self.cut()

    def step_commit(self, _: Random) -> None:
        self.commit()

    def step_release(self, _: Random) -> None:
        self.release()

    def step_answer(self, random: Random) -> None:
        """Some answers of the store arrive, in any order."""
        random.shuffle(self._late)
        self._answer_late(random.choice((1, 2, 5)))

    def step_sweep(self, _: Random) -> None:
        """Commits that change nothing, so that what may leave the memory does."""
        for _again in range(2):
            self.engine.accept("other", [], "", b"position")
            self.cut()
            self.commit()

    def step_expire(self, random: Random) -> None:
        """The store is searched for values that expired."""
        self.situations["swept value"] += ExpirySweep(self.engine, self.store).step(random.choice((1, 100)))

    def step_outage(self, _: Random) -> None:
        """Functions are not to be found any more, as with a wrong module file, or are there again."""
        self._outage = not self._outage

    def step_heal(self, random: Random) -> None:
        self.application.healed.add(random.choice(self.plan.nodes).number)

    def step_operate(self, random: Random) -> None:
        """An operator does something to what is parked or dead."""
        for _again in range(2):
            self.commit()
            self.cut()
        self.commit()
        parked, letters = self._parked_rows(), self.letters()
        if parked and (not letters or random.random() < 0.6):
            self._operate(random.choice((Action.RESUME, Action.SKIP, Action.PURGE)), random.choice(parked))
        elif letters:
            number, node = random.choice(sorted(letters.items()))
            self.application.healed.add(node)
            self.resent.add(node)
            self._operate(Action.RESEND, number)

    def step_savepoint(self, _: Random) -> None:
        """Copy what is durable, if there is anything."""
        if self.engine.durable:
            self._savepoint = self.store.copy()

    def step_restore(self, random: Random) -> None:
        """Go back to the last savepoint, as the beginning of another lineage; the sink is cut to where it was then."""
        if self._savepoint is None:
            return
        self.store, saved = self._savepoint.copy(), recover(self._savepoint)
        self.store.commit(begin_lineage(self.store, f"{random.getrandbits(64):x}", EgressFiles.CUT))
        again = {entry.epoch for entries in saved.outbox.values() for entry in entries}
        self.written = {n: kept for n, kept in self.written.items() if n <= saved.epoch and n not in again}
        states = [self.state(address).get("history") for address in self.plan.addresses]
        there = {entry.node for state in states for entry in self.application.history(state)}
        for known in (self.durable_at, self.crashes_at):
            for node in known.keys() - there:
                del known[node]
        self.releasable.clear()
        self.crash()
        self.situations["restore"] += 1

    def step_failed_commit(self, random: Random) -> None:
        """A commit fails, and nobody can know whether it is on disk: the driver ends."""
        self.commit()
        epoch, is_on_disk = self.engine.epoch, random.random() < 0.5
        if epoch.needs_commit():
            self.situations["failed commit"] += 1
            fail_commit(self.engine, self.store, self._write, writes=is_on_disk)
            if is_on_disk:
                self._note_durable(epoch)
            self.crash()

    def step_crash(self, _: Random) -> None:
        self.crash()

    def step_commit_and_crash(self, _: Random) -> None:
        self.commit_and_crash()

    # --------------------------------------------------------------------------------------------- what the world does

    def _answer(self, batch: Batch) -> Reply:
        if self._outage:
            self.situations["outage"] += 1
            return Failure(FailureKind.MISCONFIGURED, "nobody serves it")
        return self.application.run(batch, int(batch.sent_at), self.now)

    def dispatch(self, limit: int = 64) -> None:
        before = len(self.in_flight)
        super().dispatch(limit)
        for batch in self.in_flight[before:]:
            assert batch.target not in self._parked, f"{batch.target} is parked and was called"
            batch.sent_at = self.now
            self.dispatches[batch.target].append(self.now)

    def reply(self, batch: Batch, reply: Reply | None = None) -> None:
        super().reply(batch, reply)
        self.load()

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
            self._late += [self._state_answer(mailbox) for mailbox in reads.states]
            self._late += [self._page_answer(page) for page in reads.pages]
            if not self._is_late:
                self._answer_late(len(self._late))
        raise AssertionError("the engine reads without end")

    def _state_answer(self, mailbox: Mailbox) -> Callable[[], None]:
        [(_, stored)] = read_stored(self.store, [mailbox])
        return lambda: self.engine.mailboxes.loaded(mailbox, stored)

    def _page_answer(self, page: Page) -> Callable[[], None]:
        messages, is_last = read_page(self.store, page)
        return lambda: self.engine.mailboxes.paged_in(page, messages, is_last=is_last)

    def _answer_late(self, count: int) -> None:
        now, self._late = self._late[:count], self._late[count:]
        for answer in now:
            answer()

    def commit(self) -> None:
        epoch, addresses = self.cut_epoch, self.engine.mailboxes.addresses
        super().commit()
        if epoch is not None:
            self._note_durable(epoch)
            self.situations["address left the memory"] += self.engine.mailboxes.addresses < addresses

    def commit_and_crash(self) -> None:
        epoch = self.cut_epoch
        self.situations["crash before a commit was told of"] += epoch is not None
        if epoch is not None:
            self._note_durable(epoch)
        super().commit_and_crash()

    def _note_durable(self, epoch: Epoch) -> None:
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
            self.written[batch.epoch] = list(batch.records)
        super().crash()

    def _start(self) -> None:
        self._late = []
        super()._start()
        self._parked = set(self._parked_rows())
        self.handed_in = int(self.positions.get("ingress", {}).get("", b"0"))
        self.load()

    def _write(self, batch: OutboxBatch) -> None:
        """Hand a batch to the egress: it is out when the egress says so, or perhaps at a crash."""
        assert batch.epoch <= self.engine.durable
        assert self.written.get(batch.epoch, list(batch.records)) == list(batch.records)
        self.releasable.append(batch)

    def release(self) -> None:
        for batch in self.releasable[:1]:
            self.written[batch.epoch] = list(batch.records)
        super().release()

    def _parked_rows(self) -> list[Address]:
        return [keys.read_address(key)[0] for key, _ in self.store.scan(Table.PARKED)]

    def dead_letters(self) -> list[DeadLetter]:
        """Those that are durable."""
        return [
            rows.read_dead_letter(keys.read_number(key, 0), row) for key, row in self.store.scan(Table.DEAD_LETTERS)
        ]

    def letters(self) -> dict[int, int]:
        """The node of each durable dead letter, by its number."""
        return {letter.number: int(letter.message[3]) for letter in self.dead_letters()}

    def _operate(self, action: Action, *targets: Target) -> None:
        self._answer_late(len(self._late))
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
        outbox_memory=random.choice((0, 100, 1_000_000)),
        max_queued=random.choice((1, 3, 10, 1000)),
        page=random.choice((1, 2, 1000)),
        cache_bytes=random.choice((0, 3000, 1 << 20)),
        max_epoch=random.choice((1, 10, 100_000)),
        delayed_window=random.choice((1, 3, 1000)),
        retry_max=random.choice((10, 1000)),
        policies={"test/*": FailurePolicy(on_failure, max_attempts=1_000_000, bisect=random.random() < 0.5)},
    )


def _steps(random: Random) -> list[Step]:
    weights = [weight * random.random() ** 2 for weight in WEIGHTS.values()]
    count = 900 if random.random() < 0.25 else 300
    return [Step(action, random.getrandbits(32)) for action in random.choices(tuple(WEIGHTS), weights, k=count)]
