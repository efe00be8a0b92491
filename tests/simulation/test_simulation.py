"""Random traffic with faults and crashes at every step, checked against what a sequential run must have done."""

import time
from collections import Counter

import pytest

from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.seeds import fails, find_mutants, run_blocks, run_seed, shrink
from tests.simulation.simulation import WEIGHTS

SEEDS = 20_000
RARE = 0.002
"""The least share of the seeds in which each situation must arise."""
MUTANT_SEEDS = 3000

SITUATIONS = (
    "address left the memory",
    "cancelled after a restart",
    "change: expiration",
    "change: renamed function",
    "clock stepped back",
    "crash before a commit was told of",
    "crash during a call",
    "crash during a commit",
    "crash with a delayed message",
    "crash with a spilled mailbox",
    "crash with an outbox",
    "crash with cold addresses",
    "dead letter",
    "dead letter sent again",
    "delayed messages read",
    "delayed over a crash",
    "expired after a call",
    "expired after a write",
    "expired over a crash",
    "failed commit",
    "late reply",
    "operator: purge",
    "operator: resend",
    "operator: resume",
    "operator: skip",
    "outage",
    "page read",
    "parked",
    "pass over cold addresses",
    "record that the sink has",
    "request repeated",
    "request repeated after a crash",
    "restore",
    "resumed after a crash",
    "swept value",
    "token read from the store",
    "transient failure",
    "truncated reply",
    "unreachable failure",
)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_effect_happens_exactly_once_whatever_crashes_when(capsys: pytest.CaptureFixture[str]) -> None:
    started, situations, count = time.monotonic(), Counter[str](), 0
    for block in run_blocks(0, SEEDS):
        assert block.failed is None, (
            f"seed {block.failed}: {block.reason}\nshow it by: python -m tests.simulation {block.failed}"
        )
        situations += block.situations
        count += len(block.seeds)
        if count % 5000 == 0:
            with capsys.disabled():
                print(f"\nsimulation: {count} of {SEEDS} seeds in {time.monotonic() - started:.0f} s", flush=True)
    with capsys.disabled():
        print("\n".join(f"{times:>9} seeds with: {name}" for name, times in situations.most_common()), flush=True)
    assert {name for name in SITUATIONS if situations[name] < RARE * SEEDS} == set(), "too rare to prove anything"
    assert set(situations) <= set(SITUATIONS)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_simulation_finds_every_known_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    needed = {mutant.mistake: seeds for mutant, seeds in find_mutants(MUTANT_SEEDS)}
    with capsys.disabled():
        print("\n" + "\n".join(f"{seeds!s:>9} seeds to find: {mistake}" for mistake, seeds in needed.items()))
    assert [mistake for mistake, seeds in needed.items() if seeds is None] == []
    assert len(needed) == len(MUTANTS) >= 20


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.mistake)
def test_every_known_mistake_can_be_made_in_the_code_as_it_is(mutant: Mutant) -> None:
    with mutant.applied():
        pass


def test_some_seeds_pass() -> None:
    for seed in range(20):
        run_seed(seed)


def test_every_action_of_a_simulation_has_a_step_and_a_run_is_the_same_again() -> None:
    first, second = run_seed(3), run_seed(3)
    assert (first.steps, first.situations, first.written) == (second.steps, second.situations, second.written)
    assert all(callable(getattr(first, f"step_{action}")) for action in WEIGHTS)


@pytest.mark.slow
def test_a_failing_seed_is_made_small() -> None:
    [mutant] = [mutant for mutant in MUTANTS if mutant.mistake == "a failed batch goes behind what came meanwhile"]
    with mutant.applied():
        seed = next(seed for seed in range(1000) if fails(seed))
        steps = shrink(seed)
        assert fails(seed, steps)
    assert len(steps) < 20
