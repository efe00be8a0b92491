"""Run the repository's checks and tests, all of them even when one fails, and show what each took.

Usage: python scripts/run_tests.py [--fast | --lint]
"""

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PYTEST = ("python", "-m", "pytest", "-q", "--durations=5")


@dataclass(frozen=True, slots=True)
class Part:
    """A command of the environment's `bin` with its arguments, and the selections it belongs to."""

    name: str
    command: tuple[str, ...]
    selections: frozenset[str]


LINT = frozenset({"all", "lint", "fast"})
FAST = frozenset({"all", "fast"})
ALL = frozenset({"all"})
PARTS = (
    Part("format", ("ruff", "format", "--check", "."), LINT),
    Part("lint", ("ruff", "check", "."), LINT),
    Part("layers", ("lint-imports",), LINT),
    Part("dependencies", ("deptry", "src"), LINT),
    Part("mypy", ("mypy",), LINT),
    Part("pyright", ("pyright",), LINT),
    Part("docs", ("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "build/docs"), LINT),
    Part("fast tests", (*PYTEST, "-m", "not slow"), FAST),
    Part(
        "slow tests",
        (
            *PYTEST,
            "-m",
            "slow and not broker and not conformance and not contract and not flink and not kinesis and not speed",
        ),
        ALL,
    ),
    Part("speed", (*PYTEST, "-m", "speed"), ALL),
    Part("kafka archives", ("python", "-m", "scripts.kafka_archives"), ALL),
    Part("contracts", (*PYTEST, "-m", "contract"), ALL),
    Part("kafka tests", (*PYTEST, "-m", "broker and not contract"), ALL),
    Part("kinesis kills", (*PYTEST, "-m", "kinesis"), ALL),
    Part("flink archives", ("python", "-m", "scripts.flink_archives"), ALL),
    Part("flink tests", (*PYTEST, "-m", "flink"), ALL),
    Part("conformance", (*PYTEST, "-m", "conformance"), ALL),
    Part("other versions", ("python", "-m", "scripts.run_matrix"), ALL),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    part: Part
    seconds: float
    succeeded: bool


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--fast", action="store_const", const="fast", dest="selection", help="without the slow tests")
    choice.add_argument("--lint", action="store_const", const="lint", dest="selection", help="checks only, no tests")
    parser.set_defaults(selection="all")
    selection: str = parser.parse_args().selection
    outcomes = [run(part) for part in PARTS if selection in part.selections]
    print(table(outcomes), flush=True)
    return 0 if all(outcome.succeeded for outcome in outcomes) else 1


def run(part: Part) -> Outcome:
    """Run a part; its output goes to the terminal as it comes."""
    print(f"--- {part.name}: {' '.join(part.command)}", flush=True)
    started = time.monotonic()
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    finished = subprocess.run(
        [BIN / part.command[0], *part.command[1:]], cwd=ROOT, env={**os.environ, "PATH": path}, check=False
    )
    seconds = time.monotonic() - started
    print(f"--- {part.name}: {'passed' if finished.returncode == 0 else 'FAILED'} in {seconds:.1f} s\n", flush=True)
    return Outcome(part, seconds, finished.returncode == 0)


def table(outcomes: list[Outcome]) -> str:
    """A line for each part and one for the whole."""
    lines = [
        f"{outcome.part.name:<16}{outcome.seconds:>8.1f} s  {'passed' if outcome.succeeded else 'FAILED'}"
        for outcome in outcomes
    ]
    failed = [outcome.part.name for outcome in outcomes if not outcome.succeeded]
    total = sum(outcome.seconds for outcome in outcomes)
    lines.append(f"{'all':<16}{total:>8.1f} s  {'FAILED: ' + ', '.join(failed) if failed else 'passed'}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
