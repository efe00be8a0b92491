"""Run the simulation by hand.

Usage:
    python -m tests.simulation SEED               one seed; if it fails, the fewest steps that fail
    python -m tests.simulation --soak MINUTES     seeds beyond those of the tests, until one fails or time is over
    python -m tests.simulation --mutants          how many seeds it takes to find each of the mistakes
"""

import argparse
import sys
import time
from collections import Counter

from .seeds import fails, find_mutants, run_blocks, shrink

FIRST_OF_SOAK = 1_000_000


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation", description="Run the engine through random faults, as a seed chooses them."
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("seed", type=int, nargs="?", help="run this seed, and make it small if it fails")
    what.add_argument("--soak", type=float, metavar="MINUTES", help="run other seeds than the tests for so long")
    what.add_argument("--mutants", action="store_true", help="count the seeds that find each of the known mistakes")
    arguments = parser.parse_args()
    if arguments.mutants:
        return show_mutants()
    return soak(arguments.soak) if arguments.soak else show_seed(arguments.seed)


def show_seed(seed: int) -> int:
    reason = fails(seed)
    print(reason or f"seed {seed} passed")
    if not reason:
        return 0
    steps = shrink(seed)
    print(f"{len(steps)} steps are enough, for {fails(seed, steps)}:")
    print("\n".join(f"    {action} {own}" for action, own in steps))
    return 1


def show_mutants(most: int = 5000) -> int:
    survivors = 0
    for mutant, seeds in find_mutants(most):
        survivors += seeds is None
        print(f"{seeds or f'> {most}':>7}  {mutant.mistake}", flush=True)
    return 1 if survivors else 0


def soak(minutes: float) -> int:
    started, situations, count = time.monotonic(), Counter[str](), 0
    for block in run_blocks(FIRST_OF_SOAK, FIRST_OF_SOAK + 100_000_000):
        if block.failed is not None:
            print(f"\nseed {block.failed}: {block.reason}\nshow it by: python -m tests.simulation {block.failed}")
            return 1
        count += len(block.seeds)
        situations += block.situations
        print(f"\r{count} seeds in {time.monotonic() - started:.0f} s", end="", flush=True)
        if time.monotonic() - started > 60 * minutes:
            break
    print("\n" + "\n".join(f"{number:>9}  {situation}" for situation, number in situations.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
