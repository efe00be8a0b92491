"""The smoke test can fail: it tells each way in which an outcome can be wrong."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.smoke.outcome import Outcome, differences
from tests.smoke.trees import MODULUS, Planter, expected

PLANTER = Planter(seed=7, instances=4)
SENT = [f"ada-{number}" for number in range(20)]
APPLIED = SENT[:18]
ACKNOWLEDGED = SENT[:17]


def right_outcome() -> Outcome:
    trees = [PLANTER.root("ada", number) for number in range(len(APPLIED))]
    expectation = expected(trees)
    outcome = Outcome(records=expectation.records.copy())
    for instance, account in expectation.accounts.items():
        outcome.states[instance] = {
            "messages": account.messages,
            "digest": account.digest,
            "modified": account.modified,
            "roots": [root for root, (target, _) in zip(APPLIED, trees, strict=True) if target == instance],
        }
    return outcome


def found(outcome: Outcome) -> list[str]:
    return differences(outcome, PLANTER, ACKNOWLEDGED, SENT)


def test_the_right_outcome_has_no_differences() -> None:
    assert found(right_outcome()) == []


def first_state(outcome: Outcome) -> dict[str, Any]:
    return outcome.states[min(outcome.states)]


def lose_and_double(outcome: Outcome) -> None:
    """A message lost and another one applied twice: the number of messages is right."""
    state = first_state(outcome)
    state["digest"] = (state["digest"] + 5) % MODULUS


def count(name: str, number: int) -> Callable[[Outcome], None]:
    def change(outcome: Outcome) -> None:
        first_state(outcome)[name] += number

    return change


def lose_an_acknowledged_tree(outcome: Outcome) -> None:
    for state in outcome.states.values():
        state["roots"] = [root for root in state["roots"] if root != "ada-0"]


def lose_an_instance(outcome: Outcome) -> None:
    del outcome.states[min(outcome.states)]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (count("messages", 1), "must have"),
        (count("messages", -1), "must have"),
        (count("modified", 1), "must have"),
        (count("modified", -1), "must have"),
        (lose_and_double, "must have"),
        (lose_an_instance, "must have"),
        (lambda outcome: first_state(outcome)["roots"].append("ada-19"), "must have"),
        (lambda outcome: first_state(outcome)["roots"].append("ada-20"), "ada-20 was applied and never sent"),
        (lambda outcome: first_state(outcome)["roots"].append("ada-0"), "ada-0 was applied 2 times"),
        (lose_an_acknowledged_tree, "ada-0 was acknowledged and not applied"),
        (lambda outcome: outcome.records.update([min(outcome.records)]), "is there 1 times too often"),
        (lambda outcome: outcome.records.subtract([min(outcome.records)]), "is missing 1 times"),
        (lambda outcome: first_state(outcome).update(violations=["ada sent 3 after 4"]), "ada sent 3 after 4"),
    ],
)
def test_every_wrong_outcome_is_told(change: Callable[[Outcome], object], told: str) -> None:
    outcome = right_outcome()
    change(outcome)
    assert any(told in difference for difference in found(outcome)), found(outcome)
