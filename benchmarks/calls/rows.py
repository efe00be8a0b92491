"""The rows of requests over HTTP: messages that are accepted durably, and calls that are answered."""

import tempfile
from pathlib import Path

import uvloop

from benchmarks.calls.__main__ import APPLICATION, requests
from benchmarks.calls.clients import measure
from benchmarks.figures import OURS, Figure, Plan, Row, Target
from benchmarks.pipeline.measure import percentile
from tests.e2e.command import Runtime

RATE = "requests/s"


def _measure(plan: Plan, kind: str, clients: int) -> list[Figure]:
    rates: list[float] = []
    halves: list[float] = []
    worst: list[float] = []
    status = b"202" if kind == "send" else b"200"
    with tempfile.TemporaryDirectory(prefix="statefun-calls-") as directory:
        runtime = Runtime(Path(directory), APPLICATION).start("--log-level", "warning")
        try:
            for number in range(plan.repeats + 1):
                makes = [requests("counter", kind, f"{clients}-{number}-{client}") for client in range(clients)]
                seconds = max(1.0, 5 * plan.share)
                latencies, took = uvloop.run(measure(runtime.ingress_port, makes, status, seconds))
                if number:  # the first one warms everything up
                    rates.append(len(latencies) / took)
                    halves.append(1000 * percentile(latencies, 50))
                    worst.append(1000 * percentile(latencies, 99))
        finally:
            runtime.kill()
    named = ((RATE, rates), ("p50 ms", halves), ("p99 ms", worst))
    return [Figure(OURS, metric, tuple(values)) for metric, values in named]


ROWS = (
    Row(
        "ingress",
        "HTTP ingress, answered when the message is durable, 64 connections",
        lambda plan: _measure(plan, "send", 64),
        (Target(RATE, at_least=15_000),),
    ),
    Row(
        "calls",
        "HTTP calls, answered with the reply of a function when that is durable, 64 connections",
        lambda plan: _measure(plan, "call", 64),
        (Target(RATE, at_least=8_000), Target("p99 ms", at_most=25)),
    ),
    Row("single-call", "the same, one connection", lambda plan: _measure(plan, "call", 1)),
)
