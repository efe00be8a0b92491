"""The row of records from Kafka through a function to Kafka."""

import time

from benchmarks.figures import OURS, Figure, Plan, Row, Target
from benchmarks.kafka.__main__ import IN, LINGER_MS, running, through, times
from benchmarks.kafka.application import OUT
from benchmarks.kafka.traffic import Reader, Writer
from benchmarks.pipeline.measure import percentile

BURST = 200_000
RATE = 1000
"""Records a second while latencies are measured."""
SECONDS = 8
WARM = 8
"""Bursts and seconds at the rate before that: the broker's compiler takes so long."""


def _measure(plan: Plan) -> list[Figure]:
    burst, slow = plan.size(BURST), plan.size(SECONDS) * RATE
    rates: list[float] = []
    halves: list[float] = []
    worst: list[float] = []
    with running() as (_, _, address):
        bursts, writer, reader = Writer(address, IN, LINGER_MS), Writer(address, IN, 0), Reader(address, OUT)
        for _ in range(WARM):
            through(reader, lambda: bursts.write_burst(burst // 4), burst // 4)
            through(reader, lambda: writer.write_at(RATE, RATE), RATE)
        for _ in range(plan.repeats):
            began = time.monotonic()
            through(reader, lambda: bursts.write_burst(burst), burst)
            rates.append(burst / (time.monotonic() - began))
            found = through(reader, lambda: writer.write_at(RATE, slow), slow)
            latencies = [arrival.at - times(arrival)[-1] for arrival in found]
            halves.append(1000 * percentile(latencies, 50))
            worst.append(1000 * percentile(latencies, 99))
    named = (("records/s", rates), ("p50 ms", halves), ("p99 ms", worst))
    return [Figure(OURS, metric, tuple(values)) for metric, values in named]


ROWS = (
    Row(
        "kafka",
        "Kafka to Kafka, exactly once, read_committed, one function in process: bursts; latency at 1,000 records/s",
        _measure,
        (Target("records/s", at_least=40_000), Target("p50 ms", at_most=10), Target("p99 ms", at_most=60)),
    ),
)
