"""Input for the accounts of `application.py`, and what must come of it, by Python's own arithmetic."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.flink.exported import states
from tests.flink.local import SECONDS
from tests.kafka.topics import Reader, Writer, create

FUNCTIONS = "tests.flink.application:functions"
MODULE = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: bank/in
  address: {address}
  consumerGroupId: {name}
  startupPosition: {{type: earliest}}
  topics:
    - {{topic: {name}-in, valueType: bank/Command, targets: [bank/account]}}
---
kind: io.statefun.kafka.v1/egress
spec:
  id: bank/out
  address: {address}
  deliverySemantic: {{type: exactly-once, transactionTimeout: 60 s}}
"""
SOON, CANCELLED = 50, 3000
"""Milliseconds of delayed messages: those that are to fire, and those that are cancelled before."""
SETTLED = 5.0
"""Seconds after which a message that was not cancelled would have fired."""


State = dict[str, tuple[str, int | str]]
"""Of each value that an account keeps: its type and itself."""


@dataclass
class Account:
    """What an account must hold and tell in the end."""

    balance: int = 0
    told: list[str] = field(default_factory=list)
    fired: list[str] = field(default_factory=list)

    @property
    def report(self) -> str:
        return f"balance {self.balance} commands {len(self.told)} fired {' '.join(sorted(self.fired))}"

    @property
    def state(self) -> State:
        """Its values with their types; one that was never set is not there."""
        fired = {"fired": ("io.statefun.types/string", " ".join(sorted(self.fired)))} if self.fired else {}
        balance, commands = ("io.statefun.types/int", self.balance), ("io.statefun.types/int", len(self.told))
        return {"balance": balance, "commands": commands, **fired}


Command = dict[str, str | int]


def commands(accounts: int, each: int, random: Random) -> tuple[list[tuple[int, Command]], list[Account]]:
    """Commands, each with its account, and what becomes of the accounts."""
    expected = [Account() for _ in range(accounts)]
    given: list[tuple[int, Command]] = [(at, {"do": "add", "amount": at}) for at in range(accounts)]
    given += [(at, later("first", SOON)) for at in range(accounts)]
    for at in random.choices(range(accounts), k=accounts * each):
        given += [(at, command) for command in some(accounts, f"n{len(given)}", random)]
    for at, command in given:
        follow(expected, at, command, given)
    return given, expected


def some(accounts: int, name: str, random: Random) -> Sequence[Command]:
    match random.randrange(4):
        case 0:
            return [{"do": "add", "amount": random.randrange(100)}]
        case 1:
            return [{"do": "transfer", "amount": random.randrange(100), "to": random.randrange(accounts)}]
        case 2:
            return [later(name, SOON)]
        case _:
            return [later(name, CANCELLED), {"do": "cancel", "name": name}]


def later(name: str, after: int) -> Command:
    return {"do": "later", "name": name, "after": after}


def follow(expected: list[Account], at: int, command: Command, given: Sequence[tuple[int, Command]]) -> None:
    """Do a command by hand."""
    account = expected[at]
    account.told.append(f"{len(account.told) + 1} {command['do']}")
    match command:
        case {"do": "add", "amount": int(amount)}:
            account.balance += amount
        case {"do": "transfer", "amount": int(amount), "to": int(to)}:
            account.balance -= amount
            expected[to].balance += amount
        case {"do": "later", "name": str(name), "after": after} if after == SOON:
            account.fired.append(name)
        case _:
            assert command["do"] in {"later", "cancel"}


class Bank:
    """The topics of one application, called `name`, and what it wrote."""

    def __init__(self, name: str, address: str, directory: Path) -> None:
        directory.mkdir()
        create(address, f"{name}-in", name)
        self.module = directory / "module.yaml"
        self.module.write_text(MODULE.format(address=address, name=name))
        self.told = 0
        self._name = name
        self._writer = Writer(address)
        self._reader = Reader(address, name)

    def give(self, given: Sequence[tuple[int, Command]]) -> None:
        self._writer.write(
            f"{self._name}-in", [(self._id(at).encode(), self._encoded(command)) for at, command in given]
        )

    def read(self, more: int) -> list[tuple[str, str]]:
        """The next records, `more` at least, each with the number of its account instead of its id."""
        before, self.told = self.told, self.told + more
        give_up = time.monotonic() + SECONDS
        while len(self._reader.records) < self.told:
            assert time.monotonic() < give_up, f"{len(self._reader.records)} of {self.told} records came"
            self._reader.poll(1.0)
        self.told = len(self._reader.records)
        return [(key.partition(".")[2], value) for key, value in self._reader.records[before:]]

    def settled(self, expected: Sequence[Account]) -> dict[str, str]:
        """What the accounts report when they report what is expected, or else in the end."""
        wanted = {str(at): account.report for at, account in enumerate(expected)}
        give_up = time.monotonic() + SECONDS
        quiet = time.monotonic() + SETTLED
        while True:
            asked = time.monotonic()
            self.give([(at, {"do": "report"}) for at in range(len(expected))])
            reports = dict(self.read(len(expected)))
            if (reports == wanted and asked > quiet) or asked > give_up:
                return reports

    def seconds_for(self, given: Sequence[tuple[int, Command]]) -> float:
        """How long commands take, from before they are written until the last record can be read."""
        started = time.monotonic()
        self.give(given)
        self.read(len(given))
        return time.monotonic() - started

    def _id(self, at: int) -> str:
        return f"{self._name}.{at}"

    def _encoded(self, command: Command) -> bytes:
        to = {"to": self._id(int(command["to"]))} if "to" in command else {}
        return json.dumps({**command, **to}).encode()


def kept(file: Path) -> dict[str, State]:
    """The state of each account in an export, by the number of the account."""
    return {
        identifier.partition(".")[2]: {name: (value["typename"], value["value"]) for name, value in values.items()}
        for identifier, values in states(file, "bank/account").items()
    }


def in_order(records: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """What each account told, in order."""
    told: dict[str, list[str]] = {}
    for key, value in records:
        told.setdefault(key, []).append(value)
    return told
