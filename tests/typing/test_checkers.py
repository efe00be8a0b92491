"""Type checkers accept and refuse the programs beside this file, line by line.

A line that must be refused ends in `# refused`, or in `# refused by mypy` or `# refused by pyright` if one only does.
"""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent
PROGRAMS = sorted([*HERE.glob("accepted_*.py"), *HERE.glob("refused_*.py")])
MARK = re.compile(r"# refused( by (?P<checker>\w+))?$")


def marked_lines(program: Path, checker: str) -> set[int]:
    lines = enumerate(program.read_text(encoding="utf-8").splitlines(), 1)
    marks = [(number, MARK.search(line)) for number, line in lines]
    return {number for number, mark in marks if mark and mark["checker"] in (None, checker)}


@cache
def refused_by_mypy() -> dict[str, set[int]]:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--output=json", "--cache-dir"]
    checked = subprocess.run(
        [*command, ROOT / ".cache" / "mypy-typing", *PROGRAMS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.stderr == ""
    found: dict[str, set[int]] = {}
    for message in map(json.loads, checked.stdout.splitlines()):
        if message["severity"] == "error":
            found.setdefault(Path(message["file"]).name, set()).add(message["line"])
    return found


@cache
def refused_by_pyright() -> dict[str, set[int]]:
    command = [str(BIN / "pyright"), "--outputjson", "--pythonpath", sys.executable, "-p", str(HERE)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(checked.stdout)
    assert report["summary"]["filesAnalyzed"] == len(PROGRAMS)
    found: dict[str, set[int]] = {}
    for message in report["generalDiagnostics"]:
        found.setdefault(Path(message["file"]).name, set()).add(message["range"]["start"]["line"] + 1)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_mypy_refuses_the_marked_lines_alone(program: Path) -> None:
    assert refused_by_mypy().get(program.name, set()) == marked_lines(program, "mypy")


@pytest.mark.slow
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_pyright_refuses_the_marked_lines_alone(program: Path) -> None:
    assert refused_by_pyright().get(program.name, set()) == marked_lines(program, "pyright")


def test_refused_programs_have_marks_and_accepted_ones_none() -> None:
    marked = {p.name for p in PROGRAMS if marked_lines(p, "mypy") | marked_lines(p, "pyright")}
    assert marked == {program.name for program in PROGRAMS if program.name.startswith("refused_")}
