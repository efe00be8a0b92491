"""The demo as a user runs it, on one month."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_figures_of_a_month_survive_three_kills(tmp_path: Path) -> None:
    demo = subprocess.run(
        [sys.executable, "-m", "examples.flights.demo", "--fast", "--directory", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stdout.count("kill -9 at flight ") == 3
    assert "values are equal to the figures computed from the input alone" in demo.stdout
