"""The rows of what changes a rate: addresses, sizes, functions, workers, delays; and how late records are under load.

None has a target: they tell what a user may expect of an application unlike the one of the other rows.
"""

from collections.abc import Mapping

from benchmarks.figures import OURS, Figure, Plan, Row
from benchmarks.pipeline.application import CHAIN
from benchmarks.pipeline.measure import IN_PROCESS, Hosting, Load, lateness, percentile, throughput
from benchmarks.saturation import highest_sustained

RATE = "invocations/s"
_PIPELINE = "benchmarks/greeter"
_RELAY = "benchmarks/relay"
_KEYS = 100_000
_SIZES = {"100 B": 100, "1 KiB": 1 << 10, "100 KiB": 100 << 10}
_MOST_BYTES = 512 << 20
"""Of all values of one measurement of sizes."""
_LATE = 50.0
"""Milliseconds that the 99th of a hundred records may be late at a rate that is kept up with."""
_SECONDS = 5
_LEAST_SECONDS = 3.0
"""In less, a single pause of the machine makes more than one of a hundred records late."""
_LOWEST, _HIGHEST, _STEPS = 1_000, 160_000, 5
_SHARES = (10, 25, 50, 75, 90)
"""Percent of the highest rate, for the curve."""


def _rates(plan: Plan, works: Mapping[str, tuple[Load, Hosting]]) -> list[Figure]:
    """A figure for each, measured in turn."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(plan.repeats):
        for name, (load, hosting) in works.items():
            found[name].append(throughput(load, hosting).rate)
    return [Figure(f"{OURS}, {name}", RATE, tuple(rates)) for name, rates in found.items()]


def _by_keys(plan: Plan) -> list[Figure]:
    counts = (100, 10_000, 100_000, 1_000_000)
    loads = {f"{keys:,} keys": Load(_PIPELINE, keys, plan.size(200_000)) for keys in counts}
    return _rates(plan, {name: (load, IN_PROCESS) for name, load in loads.items()})


def _by_size(plan: Plan) -> list[Figure]:
    works = {
        name: (Load(_RELAY, _KEYS, plan.size(min(200_000, _MOST_BYTES // size)), size=size), IN_PROCESS)
        for name, size in _SIZES.items()
    }
    return _rates(plan, works)


def _by_functions(plan: Plan) -> list[Figure]:
    works: dict[str, tuple[Load, Hosting]] = {}
    for length in (1, 2, 4, CHAIN):
        load = Load(f"benchmarks/link-{length}", _KEYS, plan.size(400_000 // length))
        works[f"{length} functions" if length > 1 else "1 function"] = (load, IN_PROCESS)
    return _rates(plan, works)


def _by_workers(plan: Plan) -> list[Figure]:
    load = Load(_PIPELINE, _KEYS, plan.size(200_000))
    return _rates(plan, {f"--workers {number}": (load, Hosting(workers=number)) for number in (0, 1, 2)})


def _delayed(plan: Plan) -> list[Figure]:
    count = plan.size(200_000)
    return _rates(
        plan,
        {
            "sent at once": (Load(_PIPELINE, _KEYS, count), IN_PROCESS),
            "sent after 100 ms": (Load("benchmarks/later", _KEYS, count), IN_PROCESS),
        },
    )


def _under_load(plan: Plan) -> list[Figure]:
    """The highest rate kept up with in each repeat, then the curve at shares of the least of them."""
    rates = [
        highest_sustained(lambda rate: _keeps_up(plan, rate), _LOWEST, _HIGHEST, _STEPS) for _ in range(plan.repeats)
    ]
    if not min(rates):
        raise RuntimeError(f"of {_LOWEST:,} messages a second, more than one of a hundred is {_LATE:.0f} ms late")
    figures = [Figure(OURS, f"messages/s, p99 <= {_LATE:.0f} ms", tuple(float(rate) for rate in rates))]
    for share in _SHARES:
        rate = min(rates) * share // 100
        late = [_lateness(plan, rate) for _ in range(plan.repeats)]
        for hundredth in (50, 99):
            values = tuple(percentile(found, hundredth) for found in late)
            figures.append(Figure(f"{OURS}, {rate:,}/s ({share} %)", f"p{hundredth} ms", values))
    return figures


def _keeps_up(plan: Plan, rate: int) -> bool:
    try:
        return percentile(_lateness(plan, rate), 99) <= _LATE
    except TimeoutError:
        return False


def _lateness(plan: Plan, rate: int) -> list[float]:
    seconds = max(_LEAST_SECONDS, _SECONDS * plan.share)
    return lateness(Load(_PIPELINE, _KEYS, int(rate * seconds), rate), IN_PROCESS)


ROWS = (
    Row("by-keys", "in process, durable: two functions and an egress, random keys of 100 to 1,000,000", _by_keys),
    Row("by-size", "in process, durable: a function that passes values on to an egress", _by_size),
    Row("by-functions", "in process, durable: functions that pass a message on, one after the other", _by_functions),
    Row("by-workers", "durable: two functions and an egress, in the runtime's process and in workers", _by_workers),
    Row("delayed", "in process, durable: a message to a second function, at once and delayed", _delayed),
    Row(
        "under-load",
        "in process, durable: the highest rate of messages to two functions and an egress that is kept up with, and "
        "how late records are at parts of it",
        _under_load,
    ),
)
