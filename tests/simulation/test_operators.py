"""Operators who may delete for good, in random traffic with poison, policies and crashes.

The simulation of this package holds that nothing is ever lost, whatever else happens. Here messages may be: exactly
those that the journal says were deleted. Operations also come in parts, and calls give up after few attempts.
"""

import json
from collections import Counter
from random import Random

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime import operation_runner
from statefun_runtime.engine.limits import FailurePolicy, Limits, OnFailure
from statefun_runtime.epoch import DeadLetter, JournalEntry
from statefun_runtime.interfaces import Address, Batch, Effects, Failure, FailureKind, Payload, Reply, StateSpec, Table
from statefun_runtime.operation import Action, Operation
from statefun_runtime.operation_runner import perform
from statefun_runtime.store import keys, rows

from .world import World

SEEDS = 600
STEPS = 250
HISTORY = StateSpec("history", "test/json")
BY_CHANCE = Failure(FailureKind.TRANSIENT, "by chance")


class Run:
    """One seed: numbered messages to a few addresses, some of them poison, and operators who act at random."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        self.targets = [("test/f", str(random.randrange(3))) for _ in range(random.choice((5, 30, 60)))]
        self.poison = {number for number in range(len(self.targets)) if random.random() < 0.15}
        self.resent: set[int] = set()
        policy = FailurePolicy(
            random.choice(tuple(OnFailure)),
            max_attempts=random.choice((1, 3)),
            max_age=random.choice((0, 100)),
            bisect=random.random() < 0.7,
        )
        self.policy = policy
        limits = Limits(
            max_batch=random.choice((1, 3, 1000)),
            cache_bytes=random.choice((0, 2000)),
            page=random.choice((1, 4, 2000)),
            max_queued=random.choice((1, 10, 50_000)),
            policies={"test/*": policy},
        )
        self.world = World(self.function, limits, seed)
        self.declare()

    def declare(self) -> None:
        self.world.engine.declare("test/f", [HISTORY])

    def function(self, batch: Batch) -> Reply:
        numbers = [int(payload) for _, _, _, payload in batch.messages]
        if self.poison & set(numbers):
            return Failure(FailureKind.PERMANENT, "poison")
        effects = Effects()
        before = history(batch.state["history"])
        value = json.dumps([*before, *numbers]).encode()
        effects.mutations["history"] = TypedValue(typename="test/json", has_value=True, value=value).SerializeToString()
        return effects

    def accept_next(self) -> bool:
        """Hand in the next message of the ingress, whose position is part of the epoch."""
        position = self.world.engine.epoch.positions.get(("ingress", "")) or self.position
        number = int(position)
        if number == len(self.targets):
            return False
        self.position = b"%d" % (number + 1)
        self.world.accept(self.targets[number], b"%d" % number, self.position)
        return True

    position = b"0"

    def step(self, action: int) -> None:
        world, random = self.world, self.random
        if action == 0:
            self.accept_next()
        elif action == 1:
            world.dispatch(random.choice((1, 3)))
        elif action == 2 and world.in_flight:
            world.reply(random.choice(world.in_flight), BY_CHANCE if random.random() < 0.1 else None)
        elif action == 3:
            world.advance(random.choice((1, 20, 400)))
        elif action == 4:
            world.cut()
        elif action == 5:
            world.commit()
        elif action == 6:
            self.crash()
        elif action == 7:
            self.operate()

    def crash(self) -> None:
        self.random.choice((self.world.crash, self.world.commit_and_crash))()
        self.position = self.world.positions.get("ingress", {}).get("", b"0")
        self.declare()

    def operate(self) -> None:
        """Do something to one parked address or one dead letter, as an operator does: on what is durable."""
        self.commit_all()
        found = [keys.read_address(key)[0] for key, _ in self.world.store.scan(Table.PARKED)]
        if found and self.random.random() < 0.5:
            action = self.random.choice((Action.RESUME, Action.SKIP, Action.PURGE, Action.DISCARD))
            self.act(action, *self.random.sample(found, self.random.randint(1, len(found))))
        elif stored := letters(self.world):
            letter = self.random.choice(stored)
            action = self.random.choice((Action.RESEND, Action.RESEND, Action.DELETE))
            if action is Action.RESEND:
                self.resent.add(int(letter.message[3]))
            self.act(action, letter.number)

    def act(self, action: Action, *targets: Address | int) -> None:
        outcomes = perform(self.world.engine, self.world.store, Operation(action, targets, "ann"))
        assert all(outcome.done for outcome in outcomes), outcomes

    def commit_all(self) -> None:
        for _ in range(2):
            self.world.commit()
            self.world.cut()
        self.world.commit()

    def finish(self) -> None:
        """Hand in what is left, run without faults, repair the function, and call again whatever is parked."""
        while self.accept_next():
            pass
        self.world.run()
        self.left = letters(self.world)
        if self.policy.bisect:
            tried = {int(letter.message[3]) for letter in self.left if letter.attempts and letter.reason == "poison"}
            assert tried <= self.poison, "a neighbour of a poison message was taken for one"
        self.poison.clear()
        for key, _ in list(self.world.store.scan(Table.PARKED)):
            self.act(Action.RESUME, keys.read_address(key)[0])
        self.world.run()


def history(payload: Payload | None) -> list[int]:
    return json.loads(TypedValue.FromString(payload).value) if payload else []


def letters(world: World) -> list[DeadLetter]:
    return [rows.read_dead_letter(keys.read_number(key, 0), row) for key, row in world.store.scan(Table.DEAD_LETTERS)]


def journal(world: World) -> list[JournalEntry]:
    return [rows.read_journal(keys.read_number(key, 0), row) for key, row in world.store.scan(Table.JOURNAL)]


def deleted(entries: list[JournalEntry]) -> int:
    """How many messages operators have deleted for good, by the journal."""
    discarded = [int(entry.detail.split()[0]) for entry in entries if entry.action == "discard"]
    return sum(discarded) + sum(entry.action == "delete" for entry in entries)


def check(run: Run) -> None:
    histories = {address: history(run.world.state(address).get("history")) for address in set(run.targets)}
    found = Counter(number for numbers in histories.values() for number in numbers)
    found.update(int(letter.message[3]) for letter in letters(run.world))
    missing = len(run.targets) - len(found)
    assert set(found.values()) <= {1}, f"doubled: {found}"
    assert missing == deleted(journal(run.world)), "what is not there was deleted by an operator"
    for address, numbers in histories.items():
        in_order = [number for number in numbers if number not in run.resent]
        assert in_order == sorted(in_order), address
        assert all(run.targets[number] == address for number in numbers)
    assert run.world.rows_left() == {}
    assert run.world.engine.mailboxes.runnable == 0


def simulate(seed: int) -> Run:
    run = Run(seed)
    weights = [run.random.random() ** 2 for _ in range(8)]
    weights[6] *= 0.1
    for _ in range(STEPS):
        run.step(run.random.choices(range(8), weights)[0])
    run.finish()
    return run


@pytest.mark.slow
def test_no_poison_policy_operator_or_crash_loses_doubles_or_reorders_a_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operation_runner, "MAX_MESSAGES", 5)
    seen: Counter[str] = Counter()
    for seed in range(SEEDS):
        try:
            run = simulate(seed)
            check(run)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        seen.update({entry.action for entry in journal(run.world)})
        seen.update({"crash": run.world.crashes > 0, "dead letter": bool(run.left)})
    for situation in ("resume", "skip", "purge", "discard", "resend", "delete", "crash", "dead letter"):
        assert seen[situation] >= SEEDS // 20, (situation, seen)
