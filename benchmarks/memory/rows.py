"""The row of many addresses with a limited cache: how fast they are called, and in how much memory."""

from benchmarks.figures import OURS, Figure, Plan, Row, Target
from benchmarks.pipeline.measure import IN_PROCESS, Load, between, running, throughput
from benchmarks.process import pss

SHARE = "% of the rate at few"
MEMORY = "most PSS MiB"
_TARGET = "benchmarks/hot"
_FEW, _MANY = 100_000, 5_000_000
_MESSAGES = 400_000
_SAMPLES = 20


def _measure(plan: Plan) -> list[Figure]:
    few = f"statefun, {_FEW:,} addresses"
    many = f"statefun, {plan.size(_MANY):,} addresses"
    rates: dict[str, list[float]] = {few: [], many: []}
    memory: list[float] = []
    for _ in range(plan.repeats):
        load = Load(_TARGET, _FEW, _FEW + plan.size(_MESSAGES), fill=_FEW)
        rates[few].append(throughput(load, IN_PROCESS).rate)
        rate, most = _many(plan.size(_MANY), plan.size(_MESSAGES))
        rates[many].append(rate)
        memory.append(most)
    shares = tuple(100 * slow / fast for slow, fast in zip(rates[many], rates[few], strict=True))
    return [
        *(Figure(system, "invocations/s", tuple(found)) for system, found in rates.items()),
        Figure(OURS, SHARE, shares),
        Figure(OURS, MEMORY, tuple(memory)),
    ]


def _many(addresses: int, messages: int) -> tuple[float, float]:
    """Invocations a second once all addresses have state, and the most memory seen from the first message on."""
    load = Load(_TARGET, addresses, addresses + messages, fill=addresses)
    most = 0.0
    with running(load, IN_PROCESS) as run:
        process = run.runtime.command.process.pid
        for step in range(1, _SAMPLES):
            run.wait_for(load.warm * step // _SAMPLES)
            most = max(most, pss(process))
        first = run.wait_for(load.warm)
        last = run.wait_for(load.count)
        most = max(most, pss(process))
    return between(first, last).rate, most


ROWS = (
    Row(
        "addresses",
        "in process, durable: a counter, random ones of 5,000,000 addresses with state (--quick: 1,000,000) and "
        "the default cache of 128 MiB, beside 100,000",
        _measure,
        (Target(SHARE, at_least=60), Target(MEMORY, at_most=512)),
    ),
)
