"""Random trees of commands, and what they must have done in the end."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from statefun_runtime.conformance.commands import NEVER, Command, Message, messages

STATES = ("bool", "int", "long", "float", "double", "string", "json")
"""The names of the states of an instance, each after its type."""
DEPTH = 4
COMMANDS = 5
MODULUS = 2**30
SOON = 300
"""The longest delay of a message that is not cancelled, in milliseconds."""
LONGEST_SLEEP = 5
"""In milliseconds."""
EGRESSES = ("generic", "kafka", "kinesis")
KINDS = {
    "add": 60,
    "verify": 15,
    "replace": 15,
    "scratch": 10,
    "egress": 30,
    "sleep": 4,
    "fail": 2,
    "send": 100,
    "after": 20,
    "cancelled": 10,
    "cancelled later": 10,
}
WITH_MESSAGE = frozenset({"send", "after", "cancelled", "cancelled later"})
AMOUNTS = {"bool": (1, 1), "int": (-(2**20), 2**20), "long": (-(2**52), 2**52), "double": (-(2**40), 2**40)}
"""Of one addition. Sums of others stay exact in four bytes."""
OTHER_AMOUNTS = (-1000, 1000)
Record = tuple[str, str, str]
"""Kind of the egress, instance, text."""


@dataclass
class Account:
    """What one instance has done."""

    messages: int = 0
    digest: int = 0
    totals: dict[str, int] = field(default_factory=dict[str, int])


@dataclass
class Expectation:
    """What trees must have done: by instance, and the records at the egresses."""

    accounts: dict[str, Account] = field(default_factory=dict[str, Account])
    records: Counter[Record] = field(default_factory=Counter[Record])


class Planter:
    """Makes trees over instances `<typename>/<id>` of function types, each of which has some of the states."""

    def __init__(self, seed: int, states: Mapping[str, Sequence[str]], instances: int) -> None:
        """Take the states of each function type, and how many instances of each there are."""
        self.seed = seed
        self._states = {
            f"{typename}/{number}": names for typename, names in states.items() for number in range(instances)
        }

    def root(self, sender: str, number: int) -> tuple[str, Message]:
        """The tree that a sender sends as its `number`-th, always the same one: target and message."""
        name = f"{sender}-{number}"
        random = Random(f"{self.seed} {name}")  # noqa: S311  (repeatable trees)
        target = random.choice(list(self._states))
        grown = _Growth(random, self._states, name).message(target, DEPTH)
        root = Message(id=grown["id"], commands=grown["commands"], sender=sender, number=number, root=name)
        return target, root


class _Growth:
    """One tree while it is made."""

    def __init__(self, random: Random, states: Mapping[str, Sequence[str]], name: str) -> None:
        self._random = random
        self._states = states
        self._name = name
        self._tokens = 0

    def message(self, target: str, depth: int) -> Message:
        kinds = self._random.choices(list(KINDS), list(KINDS.values()), k=self._random.randint(1, COMMANDS))
        made = [self._commands(kind, target, depth) for kind in kinds if depth or kind not in WITH_MESSAGE]
        return Message(id=self._random.randrange(MODULUS), commands=[command for some in made for command in some])

    def _commands(self, kind: str, here: str, depth: int) -> list[Command]:
        if kind in WITH_MESSAGE:
            return self._sending(kind, here, depth)
        command = Command(kind=kind)
        if kind in {"add", "replace"}:
            command["state"] = state = self._random.choice(self._states[here])
            if kind == "add":
                command["amount"] = str(self._random.randint(*AMOUNTS.get(state, OTHER_AMOUNTS)))
        elif kind == "egress":
            command["to"] = self._random.choice(EGRESSES)
        elif kind == "sleep":
            command["delay"] = self._random.randint(0, LONGEST_SLEEP)
        return [command]

    def _sending(self, kind: str, here: str, depth: int) -> list[Command]:
        target = self._random.choice(list(self._states))
        message = self.message(target, depth - 1)
        if kind == "send":
            return [Command(kind="send", target=target, message=message)]
        self._tokens += 1
        token = f"{self._name}-{self._tokens}"
        after = Command(kind="after", target=target, message=message, token=token, delay=NEVER)
        cancel = Command(kind="cancel", token=token)
        if kind == "cancelled later":
            canceller = Message(id=self._random.randrange(MODULUS), commands=[cancel])
            return [after, Command(kind="send", target=here, message=canceller)]
        if kind == "cancelled":
            return [after, cancel]
        after["delay"] = self._random.randint(0, SOON)
        return [after]


def expected(trees: Iterable[tuple[str, Message]]) -> Expectation:
    """What these trees must have done together, each applied once."""
    expectation = Expectation()
    for target, root in trees:
        for instance, message in messages(target, root):
            account = expectation.accounts.setdefault(instance, Account())
            account.messages += 1
            account.digest = (account.digest + message["id"]) % MODULUS
            for command in message["commands"]:
                if command["kind"] == "add" and "state" in command and "amount" in command:
                    state = command["state"]
                    total = account.totals.get(state, 0) + int(command["amount"])
                    account.totals[state] = total % 2 if state == "bool" else total
            expectation.records.update(records(instance, message))
    return expectation


def records(instance: str, message: Message) -> list[Record]:
    """What a message tells the egresses."""
    kinds = [command["to"] for command in message["commands"] if "to" in command]
    return [(kind, instance, f"{instance} {message['id']} {number}") for number, kind in enumerate(kinds)]
