"""Random trees of commands, as in the smoke test of Flink Stateful Functions, and what they must have done in the end.

A message of a tree goes to an instance and holds commands: modify the state, send, send after a while, the same with a
token and cancel it, tell the egress. A message that is sent holds commands itself.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from statefun_runtime.conformance.commands import NEVER, Command, Message, messages

DEPTH = 5
COMMANDS = 4
MODULUS = 2**61
SOON = 400
KINDS = {"modify": 5, "egress": 2, "send": 9, "after": 2, "cancelled": 1, "cancelled later": 1}


@dataclass
class Account:
    """What one instance has done. The digest is the sum of the messages' ids, so that a loss and a double show both."""

    messages: int = 0
    digest: int = 0
    modified: int = 0


@dataclass
class Expectation:
    """What trees must have done: by instance, and the records at the egress."""

    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    records: Counter[str] = field(default_factory=Counter[str])


class Planter:
    """Makes trees over instances `<typename>/<id>`, half of them hosted and half remote."""

    def __init__(self, seed: int, instances: int) -> None:
        self.seed = seed
        self.targets = [f"smoke/{'local' if number % 2 else 'remote'}/{number}" for number in range(instances)]

    def root(self, sender: str, number: int) -> tuple[str, Message]:
        """The tree that a sender sends as its `number`-th, always the same one: target and message."""
        name = f"{sender}-{number}"
        random = Random(f"{self.seed} {name}")
        target = random.choice(self.targets)
        grown = _Growth(random, self.targets, name).message(target, DEPTH)
        root = Message(id=grown["id"], commands=grown["commands"], sender=sender, number=number, root=name)
        return target, root


class _Growth:
    """One tree while it is made."""

    def __init__(self, random: Random, targets: Sequence[str], name: str) -> None:
        self._random = random
        self._targets = targets
        self._name = name
        self._tokens = 0

    def message(self, target: str, depth: int) -> Message:
        commands: list[Command] = []
        for _ in range(self._random.randint(1, COMMANDS)):
            kind = self._random.choices(list(KINDS), list(KINDS.values()))[0]
            if depth or kind in {"modify", "egress"}:
                commands += self._commands(kind, target, depth)
        return Message(id=self._random.getrandbits(48), commands=commands)

    def _commands(self, kind: str, here: str, depth: int) -> list[Command]:
        if kind in {"modify", "egress"}:
            return [Command(kind=kind)]
        target = self._random.choice(self._targets)
        message = self.message(target, depth - 1)
        if kind == "send":
            return [Command(kind="send", target=target, message=message)]
        self._tokens += 1
        after = Command(kind="after", target=target, message=message, token=f"{self._name}-{self._tokens}", delay=NEVER)
        cancel = Command(kind="cancel", token=after["token"])
        if kind == "cancelled later":
            canceller = Message(id=self._random.getrandbits(48), commands=[cancel])
            return [after, Command(kind="send", target=here, message=canceller)]
        after["delay"] = self._random.randint(0, SOON)
        return [after, cancel] if kind == "cancelled" else [after]


def expected(trees: Iterable[tuple[str, Message]]) -> Expectation:
    """What these trees must have done together, each applied once."""
    expectation = Expectation()
    for target, root in trees:
        for instance, message in messages(target, root):
            kinds = Counter(command["kind"] for command in message["commands"])
            account = expectation.accounts.setdefault(instance, Account())
            account.messages += 1
            account.digest = (account.digest + message["id"]) % MODULUS
            account.modified += kinds["modify"]
            expectation.records.update(record(instance, message, number) for number in range(kinds["egress"]))
    return expectation


def record(instance: str, message: Message, number: int) -> str:
    """The record of the `number`-th command of a message that tells the egress."""
    return f"{instance} {message['id']} {number}"
