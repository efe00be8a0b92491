"""One run chosen by a seed: traffic, faults, crashes and operators, then a time without faults until all is done.

A run is a list of steps, each an action and a seed of its own, so that a step can be left out and the others still mean
the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from statefun_runtime.answer import REQUESTS
from statefun_runtime.interfaces import (
    Batch,
    Effects,
    Failure,
    FailureKind,
)
from statefun_runtime.operation import Action
from statefun_runtime.store.memory import MemoryStore
from statefun_runtime.store.recovery import recover
from statefun_runtime.store.restore import EgressFiles, begin_lineage
from statefun_runtime.sweep import ExpirySweep

from .application import AFTER_WRITE
from .failed_commit import fail_commit
from .observed_world import ObservedWorld
from .plan import RENAMED, TYPENAMES
from .wire import truncated

ROUNDS = 2000
"""Rounds without faults after which a run is stuck; the longest need some hundred."""


class Step(NamedTuple):
    """What happens next; `seed` decides what the action leaves open."""

    action: str
    seed: int


WEIGHTS = {
    "accept": 1.0,
    "ask": 0.3,
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
    "change": 0.03,
    "crash": 0.08,
    "commit_and_crash": 0.08,
}
"""How likely each action is before a seed has its way with it."""


class Simulation(ObservedWorld):
    """Takes steps."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        super().__init__(random, seed)
        self._savepoint: MemoryStore | None = None
        self._asked_at: dict[int, int] = {}
        """By message of a client, how many crashes there had been when it was sent first."""
        self.steps = _steps(random)

    def go(self, steps: Sequence[Step]) -> None:
        """Take all steps, then go on without faults."""
        try:
            self._go(steps)
        finally:
            self.clients.close()

    def _go(self, steps: Sequence[Step]) -> None:
        for action, seed in steps:
            self.random.seed(seed)
            getattr(self, f"step_{action}")(self.random)
        self.is_down = False
        self.application.healed |= {node.number for node in self.plan.nodes}
        self.is_late = False
        if self.random.random() < 0.5:
            self.crash()
        self.answer_late(len(self.late))
        while self.handed_in < len(self.plan.roots):
            self.step_accept(self.random)
        for node in self.plan.asked:
            self.clients.ask(node)
        self.run(ROUNDS)
        while parked := self.parked_rows():
            self.operate(Action.RESUME, *parked)
            self.run(ROUNDS)

    # ----------------------------------------------------------------------------------------------------------- steps

    def step_accept(self, _: Random) -> None:
        """Hand in the next root of the ingress, whose position is part of the epoch."""
        if self.handed_in < len(self.plan.roots):
            root = self.plan.roots[self.handed_in]
            self.handed_in += 1
            self.accept(root.target, str(root.number).encode(), str(self.handed_in).encode())

    def step_ask(self, random: Random) -> None:
        """A client sends its message, perhaps once more."""
        if self.plan.asked:
            node = random.choice(self.plan.asked)
            self.situations["request repeated"] += self.clients.ask(node)
            first = self._asked_at.setdefault(node.number, self.crashes)
            self.situations["request repeated after a crash"] += (
                first < self.crashes and node.number not in self.clients.told
            )

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
        batch = self._choose_call(random)
        if batch is not None:
            late = self.function(batch)
            self.reply(batch, Failure(FailureKind.TRANSIENT, "timed out"))
            self.advance(100)
            self.dispatch()
            self.engine.reply(batch, late)
            self.load()
            self.situations["late reply"] += isinstance(late, Effects)

    def step_truncated_reply(self, random: Random) -> None:
        """A reply breaks off, and whoever sent it says that it is whole."""
        batch = self._choose_call(random)
        if batch is not None:
            reply = self.function(batch)
            if not isinstance(reply, Failure):
                self.situations["truncated reply"] += 1
                reply = truncated(reply, random, self.now)
            self.reply(batch, reply)

    def _choose_call(self, random: Random) -> Batch | None:
        """A call of the application that is under way."""
        calls = [batch for batch in self.in_flight if batch.target[0] != REQUESTS]
        return random.choice(calls) if calls else None

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
        random.shuffle(self.late)
        self.answer_late(random.choice((1, 2, 5)))

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
        self.is_down = not self.is_down

    def step_heal(self, random: Random) -> None:
        self.application.healed.add(random.choice(self.plan.nodes).number)

    def step_operate(self, random: Random) -> None:
        """An operator does something to what is parked or dead."""
        for _again in range(2):
            self.commit()
            self.cut()
        self.commit()
        parked, letters = self.parked_rows(), self.letters()
        if parked and (not letters or random.random() < 0.6):
            self.operate(random.choice((Action.RESUME, Action.SKIP, Action.PURGE)), random.choice(parked))
        elif letters:
            number, node = random.choice(sorted(letters.items()))
            self.application.healed.add(node)
            self.resent.add(node)
            self.operate(Action.RESEND, number)

    def step_savepoint(self, _: Random) -> None:
        """Copy what is durable, if there is anything."""
        if self.engine.durable:
            self._savepoint = self.store.copy()

    def step_restore(self, random: Random) -> None:
        """Go back to the last savepoint, as the beginning of another lineage.

        A sink without a marker is cut to where it was then; in the other one what was written later no longer counts.
        """
        if self._savepoint is None:
            return
        self.store, saved = self._savepoint.copy(), recover(self._savepoint)
        self.store.commit(begin_lineage(self.store, f"{random.getrandbits(64):x}", EgressFiles.CUT))
        self.rename_functions()
        waiting = {entry.epoch for entries in saved.outbox.values() for entry in entries}
        again = set[int]() if self.has_marker else waiting
        self.written = {n: kept for n, kept in self.written.items() if n <= saved.epoch and n not in again}
        states = [self.state(address).get("history") for address in self.plan.addresses]
        there = {entry.node for state in states for entry in self.application.history(state)}
        for known in (self.durable_at, self.crashes_at):
            for node in known.keys() - there:
                del known[node]
        self.releasable.clear()
        self.clients.told.clear()
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
                self.note_durable(epoch)
            self.crash()

    def step_change(self, random: Random) -> None:
        """The application starts anew, with another name for a function or another expiration."""
        typename = random.choice(TYPENAMES)
        if random.random() < 0.5:
            self.application.after_writes.append(random.choice(AFTER_WRITE))
            self.situations["change: expiration"] += 1
        elif typename not in self.limits.aliases:
            self.limits = replace(self.limits, aliases={**self.limits.aliases, typename: typename + RENAMED})
            self.situations["change: renamed function"] += 1
        self.crash()

    def step_crash(self, _: Random) -> None:
        self.crash()

    def step_commit_and_crash(self, _: Random) -> None:
        self.commit_and_crash()


def _steps(random: Random) -> list[Step]:
    weights = [weight * random.random() ** 2 for weight in WEIGHTS.values()]
    count = 900 if random.random() < 0.25 else 300
    return [Step(action, random.getrandbits(32)) for action in random.choices(tuple(WEIGHTS), weights, k=count)]
