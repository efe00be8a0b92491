"""Says what the demo found."""

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from examples.flights.display import Display
from examples.flights.feed import Kill

HERE = Path(__file__).resolve().parent
SHOWN_DIFFERENCES = 20


@dataclass(frozen=True, slots=True)
class Result:
    """What the demo found; `compared` counts values by the name of their table, `seconds` is the time of feeding."""

    flights: int
    invocations: int
    seconds: float
    kills: list[Kill]
    compared: dict[str, int]
    differences: list[str]


def report(result: Result, display: Display, directory: Path) -> int:
    """Print what came out; return the exit code."""
    display.console.print(_summary(result))
    if result.differences:
        display.say(f"{len(result.differences):,} values differ from the figures computed from the input:", "bold red")
        for line in result.differences[:SHOWN_DIFFERENCES]:
            display.say(f"  {line}")
        display.say(f"the runtime's data, log and alerts are in {directory}")
        return 1
    total = sum(result.compared.values())
    display.say(f"all {total:,} values are equal to the figures computed from the input alone", "bold green")
    display.say("Look next:")
    display.say(f"  the functions   {HERE / 'functions.py'}")
    display.say(f"  the check       {HERE / 'expected.py'}")
    display.say(f"  the alerts      {directory / 'alerts.jsonl'}")
    display.say(f"  all the rest    {HERE / 'README.md'}")
    return 0


def _summary(result: Result) -> Table:
    table = Table(show_header=False, title="a year in the air" if result.flights > 100_000 else "a month in the air")
    recoveries = ", ".join(f"{kill.recovery:.2f} s" for kill in result.kills)
    table.add_row("kills (SIGKILL)", str(len(result.kills)))
    table.add_row("  messages pending at them", ", ".join(f"{kill.pending:,}" for kill in result.kills))
    table.add_row("  new epochs before them", ", ".join(f"{kill.new_epochs:,}" for kill in result.kills))
    table.add_row("  time until functions ran again", recoveries)
    table.add_row("events", f"{result.flights:,} in {result.seconds:.1f} s, kills included")
    table.add_row("invocations", f"at least {result.invocations:,}, repeated ones included")
    rates = f"{result.flights / result.seconds:,.0f} events/s, {result.invocations / result.seconds:,.0f} invocations/s"
    table.add_row("throughput", rates)
    for name, count in result.compared.items():
        table.add_row(f"compared: {name}", f"{count:,}")
    return table
