"""Runs seeds, one after the other or in all processors, and makes a failing one small."""

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

from .mutants import MUTANTS, Mutant
from .oracle import Oracle
from .simulation import Simulation, Step

SHRINKING_SECONDS = 20


class Block(NamedTuple):
    """What came of some seeds: the first that failed and why, and in how many each situation arose."""

    seeds: range
    failed: int | None
    reason: str
    situations: Counter[str]


def run_seed(seed: int, steps: Sequence[Step] | None = None) -> Simulation:
    """Run a seed, with other steps than its own if they are given. Raises what it finds."""
    simulation = Simulation(seed)
    simulation.go(simulation.steps if steps is None else steps)
    Oracle(simulation).check()
    return simulation


def fails(seed: int, steps: Sequence[Step] | None = None) -> str:
    """What a seed finds, or an empty text."""
    try:
        run_seed(seed, steps)
    except Exception as error:  # noqa: BLE001  # a mistake may show as any
        return f"{type(error).__name__}: {error}"
    return ""


def run_block(seeds: range) -> Block:
    """Run seeds up to the first that fails."""
    situations: Counter[str] = Counter()
    for seed in seeds:
        try:
            simulation = run_seed(seed)
        except Exception as error:  # noqa: BLE001  # a mistake may show as any
            return Block(seeds, seed, f"{type(error).__name__}: {error}", situations)
        situations.update(situation for situation, times in simulation.situations.items() if times)
    return Block(seeds, None, "", situations)


def run_blocks(first: int, last: int, size: int = 100) -> Iterator[Block]:
    """Run the seeds from `first` up to but without `last` in all processors, block by block, in order."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        starts = range(first, last, size)
        yield from pool.map(run_block, [range(start, min(start + size, last)) for start in starts])


def seeds_needed(mutant: Mutant, most: int) -> int | None:
    """How many seeds it takes to find a mistake, None if it takes more than `most`."""
    with mutant.applied():
        return next((seed + 1 for seed in range(most) if fails(seed)), None)


def find_mutants(most: int) -> Iterator[tuple[Mutant, int | None]]:
    """How many seeds it takes to find each of the mistakes, in all processors."""
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from zip(MUTANTS, pool.map(_seeds_needed, [(n, most) for n in range(len(MUTANTS))]), strict=True)


def _seeds_needed(task: tuple[int, int]) -> int | None:
    number, most = task
    return seeds_needed(MUTANTS[number], most)


def shrink(seed: int) -> list[Step]:
    """Fewer steps of a failing seed that fail too, found by leaving out ever smaller parts, for some seconds."""
    steps = list(Simulation(seed).steps)
    end, part = time.monotonic() + SHRINKING_SECONDS, len(steps) // 2
    while part and time.monotonic() < end:
        start, before = 0, len(steps)
        while start < len(steps) and time.monotonic() < end:
            fewer = steps[:start] + steps[start + part :]
            if fails(seed, fewer):
                steps = fewer
            else:
                start += part
        part = part // 2 if len(steps) == before or part > 1 else 1
    return steps
