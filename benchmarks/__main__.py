"""This project beside what else there is: one table of what each was measured to do, and what is wanted.

Usage: python -m benchmarks [NAME ...] [--quick] [--repeats N] [--out DIR]

Without names every row is measured, one after the other; systems that are compared take turns within a row, since what
a machine does changes with what else it does: trust ratios, and medians of one run. --quick measures a fifth of the
usual size once. What could not be measured is told with its reason. DIR gets all figures as JSON and a chart.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.figures import Outcome, Plan, Row, table
from benchmarks.rows import ROWS

QUICK = Plan(1, 0.2)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="names: " + " ".join(row.name for row in ROWS),
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows to measure (default: all)")
    parser.add_argument(
        "--quick", action="store_true", help="a fifth of the usual size, once: under ten minutes in all"
    )
    parser.add_argument("--repeats", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument(
        "--out", type=Path, default=Path("build/benchmarks"), metavar="DIR", help="default: %(default)s"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {row.name for row in ROWS}
    if unknown:
        parser.error(f"no such rows: {', '.join(sorted(unknown))}; there are: {' '.join(row.name for row in ROWS)}")
    chosen = [row for row in ROWS if row.name in arguments.names or not arguments.names]
    plan = QUICK if arguments.quick else Plan(max(1, arguments.repeats), 1.0)
    print("\n".join(machine()), flush=True)
    outcomes = list(measured(chosen, plan))
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "figures.json").write_text(as_json(outcomes), encoding="utf-8")
    (arguments.out / "chart.svg").write_text(chart(outcomes), encoding="utf-8")
    print(f"\n{'=' * 100}\n")
    print("\n".join(table(outcomes)))
    print(f"all figures: {arguments.out}/figures.json, the chart: {arguments.out}/chart.svg")


def machine() -> Iterator[str]:
    """What is measured on, and with what."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("protobuf", "rocksdict", "uvloop", "httptools"))
    yield f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"
    yield "statefun: every epoch is synced to disk (fdatasync of RocksDB's log) before anything of it is released"
    yield ""


def measured(rows: Sequence[Row], plan: Plan) -> Iterator[Outcome]:
    """Measure rows, telling what goes on. Ctrl-C ends the row under way, and those after it."""
    interrupted = False
    for number, row in enumerate(rows, 1):
        if interrupted:
            yield Outcome(row, problem="interrupted before")
            continue
        print(f"[{number}/{len(rows)}] {row.name}: {row.work} …", flush=True)
        began = time.monotonic()
        try:
            outcome = Outcome(row, row.measure(plan))
        except KeyboardInterrupt:
            interrupted, outcome = True, Outcome(row, problem="interrupted")
        except Exception as error:  # noqa: BLE001  a row that cannot be measured must not hide the others
            outcome = Outcome(row, problem=f"{type(error).__name__}: {error}")
        print("\n".join(f"    {line}" for line in list(table([outcome]))[1:-1]), file=sys.stderr)
        print(f"    {time.monotonic() - began:.0f} s", flush=True)
        yield outcome


def as_json(outcomes: Sequence[Outcome]) -> str:
    rows = [
        {
            "name": outcome.row.name,
            "work": outcome.row.work,
            "figures": [asdict(figure) for figure in outcome.figures],
            "targets": [
                {"wanted": str(target), **asdict(target), "met": target.is_met(outcome.figures)}
                for target in outcome.row.targets
            ],
            "problem": outcome.problem,
        }
        for outcome in outcomes
    ]
    return json.dumps({"machine": list(machine())[:-1], "rows": rows}, indent=1) + "\n"


if __name__ == "__main__":
    main()
