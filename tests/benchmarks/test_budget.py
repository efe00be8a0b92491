"""A guard against code that grows slow: the processor time of an invocation, as so many times that of its floor.

Both are measured in one process, right after each other, and only their ratio counts: what else the machine does, and
how fast it is, changes both alike. The median of some runs is compared with about twice what it was when this was
written (see `_MOST`), so that noise does not fail it and a path that became twice as dear does.
"""

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import ROOT

RUNS = 5
_FLOOR = "floor: the same values read and written, nothing else"
_MOST = {
    ("budget", "sum"): 25,  # 11.3 to 13.9
    ("budget", "call functions"): 11,  # 4.9 to 5.9
    ("budget-http", "sum"): 35,  # 17.2 to 18.6
    ("budget-http", "call functions (in the server)"): 12,  # 5.7 to 6.1
}


def ratios(figures: dict[str, Any]) -> dict[tuple[str, str], float]:
    """How many times the floor of its row each guarded stage took, by row and stage."""
    assert [row["problem"] for row in figures["rows"]] == ["", ""]
    medians = {
        (row["name"], figure["system"]): statistics.median(figure["values"])
        for row in figures["rows"]
        for figure in row["figures"]
    }
    return {(row, stage): medians[row, stage] / medians[row, _FLOOR] for row, stage in _MOST}


@pytest.mark.slow
@pytest.mark.speed
@pytest.mark.timeout(120)
def test_an_invocation_takes_no_more_of_the_processor_than_so_many_times_its_floor(tmp_path: Path) -> None:
    found = []
    for _ in range(RUNS):
        command = [sys.executable, "-m", "benchmarks", "budget", "budget-http", "--quick", "--out", str(tmp_path)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        found.append(ratios(json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))))
    medians = {stage: statistics.median(run[stage] for run in found) for stage in _MOST}
    assert {stage: ratio for stage, ratio in medians.items() if ratio > _MOST[stage]} == {}, medians


def test_a_stage_that_became_dearer_than_its_bound_is_seen() -> None:
    def row(name: str, *stages: str) -> dict[str, Any]:
        taken = [{"system": stage, "values": [30.0, 40.0, 50.0]} for stage in stages]
        return {"name": name, "problem": "", "figures": [*taken, {"system": _FLOOR, "values": [1.0]}]}

    stages = {name: [stage for each, stage in _MOST if each == name] for name in ("budget", "budget-http")}
    found = ratios({"rows": [row(name, *names) for name, names in stages.items()]})
    assert all(found[stage] == 40 > _MOST[stage] for stage in _MOST)
