"""Exports of state, of this runtime and of Flink, and what is in them."""

import json
from pathlib import Path
from typing import Any

from tests.e2e.command import statefun

Values = dict[str, dict[str, Any]]
"""Values of one address by name, each with `typename`, `value`, and when it was `touched`."""


def run(*arguments: str) -> str:
    """Run a command that must succeed; what it printed."""
    done = statefun(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def states(file: Path, function_type: str) -> dict[str, Values]:
    """The values of all addresses of a type, by id."""
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return {line["id"]: line["values"] for line in lines if line["kind"] == "state" and line["type"] == function_type}
