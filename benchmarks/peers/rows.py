"""The rows of this runtime beside Flink Stateful Functions and Restate, which take turns within each."""

from collections import defaultdict
from collections.abc import Sequence

from benchmarks.figures import OURS, Figure, Plan, Row, Target
from benchmarks.peers.through_http import RESTATE_VERSION, calls, restate, restate_durability, statefun
from benchmarks.peers.through_kafka import FLINK, RUNTIME, bench
from benchmarks.pipeline.measure import percentile

INVOCATIONS, REPLIES = "invocations/s", "replies/s"
RESTATE = f"Restate {RESTATE_VERSION}"
SECONDS = 15
RATE = 1000


class _Found:
    """Values by system and metric, in the order in which they came."""

    def __init__(self) -> None:
        self._values: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, system: str, **values: float) -> None:
        for metric, value in values.items():
            self._values[system, metric].append(value)

    def add_latencies(self, system: str, seconds: Sequence[float]) -> None:
        for metric, hundredth in (("p50 ms", 50), ("p99 ms", 99)):
            self._values[system, metric].append(1000 * percentile(seconds, hundredth))

    def figures(self) -> list[Figure]:
        return [Figure(system, metric, tuple(values)) for (system, metric), values in self._values.items()]


def _seconds(plan: Plan) -> float:
    return max(5.0, SECONDS * plan.share)


def _rates(plan: Plan, keys: int, count: int) -> list[Figure]:
    found = _Found()
    with bench() as kafka:
        topic = kafka.waiting(count, keys)
        for _ in range(plan.repeats):
            for system in (FLINK, RUNTIME):
                rate = kafka.rate(system, topic, count, _seconds(plan))
                costs = {"CPU us, runtime": rate.system_us, "CPU us, functions": rate.server_us}
                found.add(system.name, **{INVOCATIONS: rate.invocations}, **costs)
    return found.figures()


def _latencies(plan: Plan) -> list[Figure]:
    found = _Found()
    with bench() as kafka:
        for _ in range(plan.repeats):
            for system in (FLINK, RUNTIME):
                found.add_latencies(system.name, kafka.latencies(system, RATE, _seconds(plan)))
    return found.figures()


def _calls(plan: Plan) -> list[Figure]:
    found = _Found()
    print(f"    {RESTATE}: {restate_durability()}", flush=True)
    for _ in range(plan.repeats):
        for name, start in ((RESTATE, restate), (OURS, statefun)):
            with start() as running:
                measured = calls(running, _seconds(plan))
            found.add(name, **{REPLIES: measured.rate, "CPU us, all": measured.cpu_us})
            found.add_latencies(name, measured.latencies)
    return found.figures()


ROWS = (
    Row(
        "flink-kafka",
        "from Kafka, the same functions on flink-statefun 3.5.0 and uvicorn, 100k random keys",
        lambda plan: _rates(plan, keys=100_000, count=400_000),
        (Target(INVOCATIONS, at_least=2.7, beside=FLINK.name),),
    ),
    Row(
        "flink-hot",
        "the same, 100 hot keys",
        lambda plan: _rates(plan, keys=100, count=3_000_000),
    ),
    Row(
        "flink-latency",
        "Kafka to Kafka, exactly once, the same functions, 1,000 records/s, from when each was to be written",
        _latencies,
        (Target("p50 ms", at_most=10), Target("p99 ms", at_most=60)),
    ),
    Row(
        "restate",
        "calls over HTTP, answered when durable, 64 connections, 100k random keys, functions over HTTP",
        _calls,
        (Target(REPLIES, at_least=25, beside=RESTATE),),
    ),
)
