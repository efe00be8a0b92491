"""Says what became of the orders."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from rich.console import Console
from rich.table import Table

from examples.orders.app import Status
from examples.orders.check import CHECKS, Outcome

HERE = Path(__file__).resolve().parent
SHOWN_LINES = 10


@dataclass(frozen=True, slots=True)
class Kill:
    """A kill: what had been seen before it, and the seconds until a call was answered again."""

    placed: int
    results: int
    paying: int
    recovery: float


@dataclass(frozen=True, slots=True)
class Run:
    """What the demo did.

    Attributes:
        outcome: What came out.
        waits: Seconds that each payment waited for its answer.
        kills: The kills.
        seconds: From the first order to the last result.
    """

    outcome: Outcome
    waits: list[float]
    kills: list[Kill]
    seconds: float


def report(run: Run, console: Console) -> int:
    """Print what came out and whether it is right; return the exit code."""
    console.print(_summary(run))
    are_right = True
    for sentence, check in CHECKS:
        wrong = list(check(run.outcome))
        are_right = are_right and not wrong
        console.print(f"{'✗' if wrong else '✓'} {sentence}", style="bold red" if wrong else "green", markup=False)
        for line in wrong[:SHOWN_LINES]:
            console.print(f"    {line}", markup=False)
        if len(wrong) > SHOWN_LINES:
            console.print(f"    and {len(wrong) - SHOWN_LINES:,} more")
    console.print(f"Look next: the functions, {HERE / 'app.py'}; all the rest, {HERE / 'README.md'}", markup=False)
    return 0 if are_right else 1


def _summary(run: Run) -> Table:
    outcome = run.outcome
    ends = Counter(result.status for result in outcome.results)
    twice = sum(intent.repeats for intent in outcome.intents)
    table = Table(show_header=False, title="what became of the orders")
    table.add_row("orders", f"{len(outcome.intents):,}, {twice:,} of them written to Kafka twice")
    for status in (Status.PAID, Status.EXPIRED, Status.SOLD_OUT):
        table.add_row(f"  {status}", f"{ends[status]:,}")
    again = len(run.waits) - len(outcome.told)
    table.add_row("payments over HTTP", f"{len(run.waits):,}, {again:,} of them repeats with the same key")
    table.add_row("  answered after", _percentiles(run.waits))
    stocks = outcome.stocks.values()
    table.add_row("pieces delivered", f"{sum(outcome.delivered.values()):,}")
    table.add_row("  sold", f"{sum(stock.sold for stock in stocks):,}")
    table.add_row("  left", f"{sum(stock.available for stock in stocks):,}")
    table.add_row("kills (SIGKILL)", f"{len(run.kills)}")
    recoveries = [kill.recovery for kill in run.kills]
    table.add_row("  calls answered again after", f"{min(recoveries):.2f} to {max(recoveries):.2f} s")
    table.add_row("time", f"{run.seconds:.1f} s, kills included")
    return table


def _percentiles(waits: list[float]) -> str:
    percentiles = quantiles(waits, n=100)
    return (
        f"{percentiles[49] * 1000:.0f} ms (p50), {percentiles[98] * 1000:,.0f} ms (p99), "
        f"{max(waits) * 1000:,.0f} ms at most"
    )
