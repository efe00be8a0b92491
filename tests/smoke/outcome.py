"""What a run of the smoke test left behind, and how it differs from what it must have done."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.command import Runtime, statefun
from tests.smoke.trees import Account, Expectation, Planter, expected


@dataclass
class Outcome:
    """The states by instance, and the records of the egress."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    records: Counter[str] = field(default_factory=Counter[str])

    def roots(self) -> list[str]:
        """The names of the trees whose roots were applied, as often as they were."""
        return [root for state in self.states.values() for root in state.get("roots", [])]


def read_outcome(runtime: Runtime, records: Path) -> Outcome:
    """Read what a stopped runtime left."""
    outcome = Outcome(records=Counter(records.read_text().splitlines()))
    for typename in ("smoke/local", "smoke/remote"):
        listed = statefun("state", "list", "--data", str(runtime.data), "--type", typename, "--json")
        assert listed.returncode == 0, listed.stderr
        for row in map(json.loads, listed.stdout.splitlines()):
            outcome.states.setdefault(f"{typename}/{row['id']}", {})[row["name"]] = row["value"]
    return outcome


def differences(outcome: Outcome, planter: Planter, acknowledged: Collection[str], sent: Collection[str]) -> list[str]:
    """How an outcome differs from a right one, a line each. What was applied counts, acknowledged or not."""
    roots = Counter(outcome.roots())
    found = [f"{root} was applied {times} times" for root, times in roots.items() if times > 1]
    found += [f"{root} was acknowledged and not applied" for root in acknowledged if root not in roots]
    found += [f"{root} was applied and never sent" for root in roots.keys() - set(sent)]
    trees = [planter.root(sender, int(number)) for sender, _, number in (root.rpartition("-") for root in roots)]
    return found + _effects(outcome, expected(trees))


def _effects(outcome: Outcome, expectation: Expectation) -> list[str]:
    """How states and records differ from those of the trees that were applied."""
    found: list[str] = []
    for instance in sorted(outcome.states.keys() | expectation.accounts.keys()):
        state = outcome.states.get(instance, {})
        wanted = expectation.accounts.get(instance, Account())
        if (account := account_of(state)) != wanted:
            found.append(f"{instance} has {account} and must have {wanted}")
        found += [f"{instance}: {violation}" for violation in state.get("violations", [])]
    lost, doubled = expectation.records - outcome.records, outcome.records - expectation.records
    found += [f"the record {record!r} is missing {times} times" for record, times in lost.items()]
    return found + [f"the record {record!r} is there {times} times too often" for record, times in doubled.items()]


def account_of(state: Mapping[str, Any]) -> Account:
    """What an instance says that it has done. Missing states count as 0."""
    return Account(int(state.get("messages", 0)), int(state.get("digest", 0)), int(state.get("modified", 0)))
