"""The figures that must come out, computed in memory from the package's CSV file, with no function involved."""

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

Row = dict[str, str]
Figures = dict[str, dict[str, Any]]
"""`namespace/name` of a function and name of its state, joined by a blank -> id -> value as JSON gives it."""


def expected(rows: Iterable[Row]) -> tuple[Figures, dict[str, list[Any]]]:
    """Return (every state of every address, the alerts of each aircraft in order)."""
    table = sorted(map(plain, rows))
    flown = [row for row in table if row[-1] is not None]
    alerts = {tail: list(alerts_of(tail, legs)) for tail, legs in group(flown, lambda row: row[3]).items()}
    hours = {hour: hour_of(hour, delays) for hour, delays in delays_by(table, lambda row: f"{row[4]}@{row[0][:13]}")}
    states: Figures = {
        "flights/aircraft logbook": {k: logbook_of(legs) for k, legs in group(table, lambda row: row[3]).items()},
        "flights/route figures": {k: route_of(d) for k, d in delays_by(table, lambda row: f"{row[4]}-{row[5]}")},
        "flights/hour closed": hours,
        "flights/airport figures": {
            k: airport_of(h) for k, h in group(hours.values(), lambda h: h["hour"][:3]).items()
        },
        "flights/watch watch": {
            tail: {"alerts": lines[-1]["alert"], "open": lines[-1]["event"] == "raised"}
            for tail, lines in alerts.items()
            if lines
        },
    }
    return states, {tail: lines for tail, lines in alerts.items() if lines}


def plain(row: Row) -> tuple[str, str, int, str, str, str, int | None]:
    """(scheduled, carrier, flight number, tail number, origin, destination, delay); sorts as the flights are fed."""
    carrier, number = row["carrier"], int(row["flight"])
    tail = row["tailnum"] if row["tailnum"] != "NA" else f"unassigned-{carrier}{number}"
    delay = int(row["dep_delay"]) if row["dep_delay"] != "NA" else None
    return row["time_hour"][:14] + f"{int(row['minute']):02}Z", carrier, number, tail, row["origin"], row["dest"], delay


def group(items: Iterable[Any], key: Callable[[Any], str]) -> dict[str, list[Any]]:
    groups = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def delays_by(table: list[Any], key: Callable[[Any], str]) -> Iterable[tuple[str, list[int | None]]]:
    return ((name, [row[-1] for row in rows]) for name, rows in group(table, key).items())


def logbook_of(legs: list[Any]) -> dict[str, Any]:
    entries = [f"{at} {carrier}{number} {origin}-{to}" for at, carrier, number, _, origin, to, _ in legs]
    delays = [leg[-1] for leg in legs]
    digest = ""
    for entry, delay in zip(entries, delays, strict=True):
        digest = hashlib.sha256(f"{digest} {entry} {delay}".encode()).hexdigest()[:16]
    flown = [delay for delay in delays if delay is not None]
    return {
        "last": entries[-1],
        "rotations": len(flown),
        "cancelled": delays.count(None),
        "delay": sum(flown),
        "digest": digest,
    }


def route_of(delays: list[int | None]) -> dict[str, int]:
    flown = [delay for delay in delays if delay is not None]
    return {
        "departed": len(flown),
        "cancelled": delays.count(None),
        "delay": sum(flown),
        "squares": sum(delay**2 for delay in flown),
        "earliest": min([0, *flown]),
        "latest": max([0, *flown]),
    }


def hour_of(hour: str, delays: list[int | None]) -> dict[str, Any]:
    flown = [delay for delay in delays if delay is not None]
    return {"hour": hour, "departed": len(flown), "cancelled": delays.count(None), "delay": sum(flown)}


def airport_of(hours: list[dict[str, Any]]) -> dict[str, Any]:
    late = sorted((-hour["delay"], hour["hour"]) for hour in hours if hour["delay"] > 0)
    return {
        "hours": len(hours),
        **{name: sum(hour[name] for hour in hours) for name in ("departed", "cancelled", "delay")},
        "disrupted": sum(1 for hour in hours if not hour["departed"] or hour["delay"] / hour["departed"] >= 30),
        "worst_hour": late[0][1] if late else "",
        "worst_delay": -late[0][0] if late else 0,
    }


def alerts_of(tail: str, legs: list[Any]) -> Iterable[dict[str, Any]]:
    """A leg an hour late raises an alert, the next one within 15 minutes clears it, and so on in turn."""
    numbers = itertools.count(1)
    remaining = iter(legs)
    while (late := next((leg for leg in remaining if leg[-1] >= 60), None)) is not None:
        alert = next(numbers)
        yield line(tail, alert, "raised", late)
        if (good := next((leg for leg in remaining if leg[-1] <= 15), None)) is not None:
            yield line(tail, alert, "cleared", good)


def line(tail: str, alert: int, event: str, leg: Any) -> dict[str, Any]:
    at, carrier, number, *_, delay = leg
    label = f"{carrier}{number}"
    return {"aircraft": tail, "alert": alert, "event": event, "number": label, "scheduled": at, "delay": delay}
