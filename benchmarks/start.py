"""What a runtime costs before it has anything to do: its start, and its rest."""

import http.client
import tempfile
import time
from pathlib import Path

from benchmarks.calls.__main__ import APPLICATION
from benchmarks.figures import OURS, Figure, Plan, Row, Target
from benchmarks.process import cpu_seconds, pss
from tests.e2e.command import Runtime

_REST = 10.0
"""Seconds of rest."""


def _start(plan: Plan) -> list[Figure]:
    seconds = tuple(_seconds_to_first_reply() for _ in range(max(3, 2 * plan.repeats)))
    return [Figure(OURS, "s", seconds)]


def _seconds_to_first_reply() -> float:
    with tempfile.TemporaryDirectory(prefix="statefun-start-") as directory:
        runtime = Runtime(Path(directory), APPLICATION)
        began = time.perf_counter()
        runtime.launch("--log-level", "warning")
        try:
            while not _replies(runtime.ingress_port):
                time.sleep(0.002)
            return time.perf_counter() - began
        finally:
            runtime.kill()


def _replies(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/calls/echo/someone/call", b"hello")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _rest(plan: Plan) -> list[Figure]:
    cpu: list[float] = []
    memory: list[float] = []
    with tempfile.TemporaryDirectory(prefix="statefun-rest-") as directory:
        runtime = Runtime(Path(directory), APPLICATION).start("--log-level", "warning")
        try:
            process = runtime.command.process.pid
            for _ in range(plan.repeats):
                used = cpu_seconds(process)
                time.sleep(_REST)
                cpu.append(100 * (cpu_seconds(process) - used) / _REST)
                memory.append(pss(process))
        finally:
            runtime.kill()
    return [Figure(OURS, "% of a core", tuple(cpu)), Figure(OURS, "PSS MiB", tuple(memory))]


ROWS = (
    Row(
        "start",
        "`statefun run` on an empty directory, from the command to the first reply of a function",
        _start,
        (Target("s", at_most=0.6),),
    ),
    Row(
        "rest",
        "a runtime with nothing to do",
        _rest,
        (Target("% of a core", at_most=0.5), Target("PSS MiB", at_most=90)),
    ),
)
