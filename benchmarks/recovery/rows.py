"""The rows of a runtime that is killed and started again: how soon it calls the first function."""

import http.client
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import OURS, Figure, Plan, Row, Target
from benchmarks.load.installed import environment
from benchmarks.pipeline.measure import Load
from benchmarks.process import status
from benchmarks.recovery.application import AT_ONCE
from tests.e2e.command import Runtime

METRIC = "s to the first call"
_APPLICATION = "benchmarks.recovery.application"
_CALLED = "benchmarks/hot"
_NOBODY = """\
---
kind: io.statefun.endpoints.v2/http
spec: {functions: benchmarks/hot, urlPathTemplate: "http://127.0.0.1:1/"}
"""
_PATIENCE = 600.0
"""Seconds in which a runtime must have come to where it is killed, or back from there."""


def _measure(plan: Plan, fill: Callable[[Path, int], None], usual: int) -> list[Figure]:
    found: list[float] = []
    for _ in range(plan.repeats):
        with tempfile.TemporaryDirectory(prefix="statefun-recovery-") as directory:
            fill(Path(directory), plan.size(usual))
            found.append(_seconds_to_first_call(Path(directory)))
    return [Figure(OURS, METRIC, tuple(found))]


def _leave_pending(directory: Path, messages: int) -> None:
    """Kill a runtime when so many messages wait for a function that nobody serves; its start serves it."""
    load = Load("benchmarks/fan", 1000, messages // AT_ONCE)
    runtime = _runtime(directory, load, "senders", _NOBODY)
    _run_until(runtime, lambda: status(runtime)["functions"].get(_CALLED, {"backlog": 0})["backlog"] == messages)


def _leave_addresses(directory: Path, addresses: int) -> None:
    """Kill a runtime when so many addresses have state and nothing to do; its start has a message more."""
    runtime = _runtime(directory, Load(_CALLED, addresses, addresses, fill=addresses), "functions")
    _run_until(runtime, lambda: status(runtime)["idle"] and _calls(runtime) == addresses)
    _runtime(directory, Load(_CALLED, addresses, addresses + 1, fill=addresses + 1), "functions")


def _runtime(directory: Path, load: Load, functions: str, further: str = "") -> Runtime:
    """A runtime that is not started; its module file replaces one that is there."""
    module = directory / "module.yaml"
    module.write_text(load.module(directory / "arrivals.json") + further, encoding="utf-8")
    runtime = Runtime(directory, str(module), "--functions", f"{_APPLICATION}:{functions}")
    runtime.environment = environment(directory)
    return runtime


def _run_until(runtime: Runtime, condition: Callable[[], bool]) -> None:
    """Start it, and kill it when the condition holds."""
    try:
        runtime.start("--log-level", "warning")
        _wait_until(condition)
    finally:
        runtime.kill()


def _seconds_to_first_call(directory: Path) -> float:
    runtime = Runtime(directory, str(directory / "module.yaml"), "--functions", f"{_APPLICATION}:functions")
    runtime.environment = environment(directory)
    began = time.perf_counter()
    try:
        runtime.launch("--log-level", "warning")
        _wait_until(lambda: _calls(runtime) > 0)
        return time.perf_counter() - began
    finally:
        runtime.kill()


def _wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > give_up:
            raise TimeoutError(f"the runtime did not come so far within {_PATIENCE:.0f} s")
        time.sleep(0.01)


def _calls(runtime: Runtime) -> int:
    """How often the function was called since the start; 0 while nothing answers yet."""
    try:
        return int(status(runtime)["functions"].get(_CALLED, {"invocations": 0})["invocations"])
    except (OSError, http.client.HTTPException, ValueError):
        if runtime.command.process.poll() is not None:
            raise
        return 0


ROWS = (
    Row(
        "pending",
        "start after a kill -9 with 1,000,000 messages waiting (--quick: 200,000)",
        lambda plan: _measure(plan, _leave_pending, 1_000_000),
        (Target(METRIC, at_most=10),),
    ),
    Row(
        "idle-addresses",
        "start after a kill -9 with 5,000,000 addresses that have state and nothing to do (--quick: 1,000,000)",
        lambda plan: _measure(plan, _leave_addresses, 5_000_000),
        (Target(METRIC, at_most=2),),
    ),
)
