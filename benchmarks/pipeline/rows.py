"""The rows of functions that are called as fast as they go, and of how late records are at a rate."""

from collections.abc import Sequence

from benchmarks.figures import OURS, Figure, Plan, Row, Target
from benchmarks.pipeline.measure import (
    IN_PROCESS,
    SERVE,
    UVICORN,
    Hosting,
    Load,
    Throughput,
    lateness,
    percentile,
    throughput,
)

RATE = "invocations/s"
_PIPELINE = "benchmarks/greeter"
_HOT = "benchmarks/hot"
_KEYS = 100_000


def _figures(system: str, results: Sequence[Throughput]) -> list[Figure]:
    figures = [
        Figure(system, RATE, tuple(result.rate for result in results)),
        Figure(system, "runtime CPU us/invocation", tuple(result.runtime_us for result in results)),
    ]
    if results[0].server_us:
        figures.append(Figure(system, "server CPU us/invocation", tuple(result.server_us for result in results)))
    return figures


def _rates(plan: Plan, load: Load, systems: dict[str, Hosting]) -> list[Figure]:
    """All in turn, so that what else the machine does hits them alike."""
    results: dict[str, list[Throughput]] = {system: [] for system in systems}
    for _ in range(plan.repeats):
        for system, hosting in systems.items():
            results[system].append(throughput(load, hosting))
    return [figure for system, found in results.items() for figure in _figures(system, found)]


def _late(plan: Plan, hosting: Hosting, rate: int, seconds: float) -> list[Figure]:
    found: list[list[float]] = []
    for _ in range(plan.repeats):
        load = Load(_PIPELINE, _KEYS, plan.size(int(rate * seconds)), rate)
        found.append(lateness(load, hosting))
    percentiles = ((f"p{hundredth} ms", hundredth) for hundredth in (50, 99))
    return [
        Figure(OURS, metric, tuple(percentile(values, hundredth) for values in found))
        for metric, hundredth in percentiles
    ]


def _in_process(plan: Plan) -> list[Figure]:
    load = Load(_PIPELINE, _KEYS, plan.size(300_000))
    return _rates(plan, load, {OURS: IN_PROCESS, "statefun, 1 worker": Hosting(workers=1)})


def _over_http(plan: Plan) -> list[Figure]:
    load = Load(_PIPELINE, _KEYS, plan.size(150_000))
    return _rates(plan, load, {OURS: SERVE, "statefun, unix socket": Hosting("serve", unix=True)})


def _uvicorn(plan: Plan) -> list[Figure]:
    return _rates(plan, Load(_PIPELINE, _KEYS, plan.size(150_000)), {OURS: UVICORN})


def _hot_keys(plan: Plan) -> list[Figure]:
    load = Load(_HOT, 100, plan.size(1_500_000))
    return _rates(plan, load, {OURS: SERVE, "statefun, in process": IN_PROCESS})


ROWS = (
    Row(
        "pipeline",
        "in process, durable: two functions and an egress, random keys of 100,000",
        _in_process,
        (Target(RATE, at_least=110_000),),
    ),
    Row(
        "http",
        "over HTTP, durable: the same, functions behind `statefun serve`",
        _over_http,
        (Target(RATE, at_least=35_000),),
    ),
    Row(
        "uvicorn",
        "over HTTP, durable: the same, functions behind uvicorn as a plain ASGI application",
        _uvicorn,
        (Target(RATE, at_least=24_000),),
    ),
    Row("hot", "over HTTP, durable: a counter, 100 keys", _hot_keys, (Target(RATE, at_least=400_000),)),
    Row(
        "latency",
        "in process, durable: from the time a message was due to its record at the egress, 20,000 a second",
        lambda plan: _late(plan, IN_PROCESS, 20_000, 8),
        (Target("p50 ms", at_most=5), Target("p99 ms", at_most=15)),
    ),
    Row(
        "latency-http",
        "over HTTP, durable: the same, 5,000 a second",
        lambda plan: _late(plan, SERVE, 5_000, 8),
        (Target("p99 ms", at_most=12),),
    ),
)
