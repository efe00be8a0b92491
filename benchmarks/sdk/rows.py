"""The rows of the handler beside the existing SDKs."""

from benchmarks.figures import Figure, Plan, Row, Target
from benchmarks.sdk.__main__ import BATCHES, measure, start_workers

_PEER = "flink-statefun 3.5.0"
_WANTED = {1: 1.8, 10: 1.9, 100: 2.0}


def _metric(batch: int) -> str:
    return f"invocations/CPU s, {batch} a batch"


def _measure(plan: Plan) -> list[Figure]:
    workers, _ = start_workers()
    try:
        return [
            Figure(row.sdk, _metric(batch), tuple(1e6 / taken for taken in row.microseconds))
            for batch in BATCHES
            for row in measure(workers, batch, 8 * plan.repeats, 0.06)
        ]
    finally:
        for worker in workers:
            worker.stop()


ROWS = (
    Row(
        "sdk",
        "the SDK's handler, one request after the other, beside the existing SDKs",
        _measure,
        tuple(Target(_metric(batch), at_least=wanted, beside=_PEER) for batch, wanted in _WANTED.items()),
    ),
)
