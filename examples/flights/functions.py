r"""A year of flights as stateful functions: every aircraft, route, hour and airport is an address of its own.

    flights.jsonl ---> flights/aircraft ---> flights/watch ----> alerts.jsonl
                          |        \
                          v         `-----> flights/route
    timetable.csv ---> flights/hour -------> flights/airport

Messages between one sender and one target keep their order; messages of different senders may overtake each other.
So an aircraft and its watch may rely on the order of its flights, and everything that many aircraft tell (a route, an
hour, an airport) is counted in a way that any order gives the same figures. All figures are integers.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TypeVar

from statefun import (
    Context,
    Int32Type,
    Message,
    Reject,
    StatefulFunctions,
    Type,
    ValueSpec,
    egress_message_builder,
    make_json_type,
    message_builder,
)

LATE = 60
"""An aircraft that leaves this many minutes late raises an alert."""
RECOVERED = 15
"""The alert is over when it next leaves at most this many minutes late."""
REMIND_AFTER = timedelta(hours=6)
"""An alert that is still open after this time is sent again, as a reminder."""
REINSTATE_WITHIN = timedelta(seconds=1)
"""A cancelled flight may come back within this time, so its route hears of it only then."""

T = TypeVar("T")

functions = StatefulFunctions()


# ------------------------------------------------------------------------------------------------------------- messages


@dataclass(slots=True)
class Flight:
    """A scheduled departure: `scheduled` is UTC, `delay` is in minutes and None if the flight was cancelled."""

    aircraft: str
    scheduled: str
    number: str
    origin: str
    destination: str
    delay: int | None


@dataclass(slots=True)
class Timetable:
    """How many departures an hour has; a row of a CSV file, so all is text."""

    hour: str
    departures: str


@dataclass(slots=True)
class HourReport:
    """What a complete hour tells its airport; `delay` is the sum in minutes."""

    hour: str
    departed: int
    cancelled: int
    delay: int


@dataclass(slots=True)
class Alert:
    """A line of the alerts: `alert` counts those of one aircraft."""

    aircraft: str
    alert: int
    event: str
    number: str
    scheduled: str
    delay: int


FLIGHT = make_json_type("flights.types/flight", Flight)
TIMETABLE = make_json_type("flights.types/timetable", Timetable)
HOUR_REPORT = make_json_type("flights.types/hour-report", HourReport)
ALERT = make_json_type("flights.types/alert", Alert)
CANCELLED = make_json_type("flights.types/cancelled")
REMINDER = make_json_type("flights.types/reminder", Alert)


def value(message: Message, value_type: Type[T]) -> T:
    """The message's value; one without a value will never be understood, so it is rejected for good."""
    found = message.as_type(value_type)
    if found is None:
        raise Reject(f"a message to {message.target_typename} has no value")
    return found


# ------------------------------------------------------------------------------------------------------------- aircraft


@dataclass(slots=True)
class Logbook:
    """What is known of an aircraft; `digest` chains all its flights, so that it shows their order."""

    last: str = ""
    rotations: int = 0
    cancelled: int = 0
    delay: int = 0
    digest: str = ""


LOGBOOK = ValueSpec("logbook", make_json_type("flights.types/logbook", Logbook))


@functions.bind("flights/aircraft", specs=[LOGBOOK])
def aircraft(context: Context, message: Message) -> None:
    """Enter a flight into the aircraft's logbook, and tell its route, its hour and its watch."""
    flight = value(message, FLIGHT)
    log = context.storage.get(LOGBOOK) or Logbook()
    route = f"{flight.origin}-{flight.destination}"
    hour = f"{flight.origin}@{flight.scheduled[:13]}"
    log.last = f"{flight.scheduled} {flight.number} {route}"
    log.digest = sha256(f"{log.digest} {log.last} {flight.delay}".encode()).hexdigest()[:16]
    if flight.delay is None:
        log.cancelled += 1
        cancelled = flight.number
        context.send(message_builder("flights/hour", hour, value=cancelled, value_type=CANCELLED))
        context.send_after(
            REINSTATE_WITHIN, message_builder("flights/route", route, value=cancelled, value_type=CANCELLED)
        )
    else:
        log.rotations += 1
        log.delay += flight.delay
        context.send(message_builder("flights/hour", hour, int_value=flight.delay))
        context.send(message_builder("flights/route", route, int_value=flight.delay))
    context.send(Message("flights/watch", context.address.id, message.typed_value))  # as it came, not encoded anew
    context.storage.set(LOGBOOK, log)


# ---------------------------------------------------------------------------------------------------------------- route


@dataclass(slots=True)
class RouteFigures:
    """Departures of a route and their delays in minutes; the sum of squares gives an exact variance."""

    departed: int = 0
    cancelled: int = 0
    delay: int = 0
    squares: int = 0
    earliest: int = 0
    latest: int = 0


ROUTE = ValueSpec("figures", make_json_type("flights.types/route", RouteFigures))


@functions.bind("flights/route", specs=[ROUTE])
def route(context: Context, message: Message) -> None:
    """Count a departure (an int, its delay) or a cancelled flight."""
    figures = context.storage.get(ROUTE) or RouteFigures()
    if message.is_type(CANCELLED):
        figures.cancelled += 1
    else:
        delay = value(message, Int32Type)
        figures.departed += 1
        figures.delay += delay
        figures.squares += delay * delay
        figures.earliest = min(figures.earliest, delay)
        figures.latest = max(figures.latest, delay)
    context.storage.set(ROUTE, figures)


# ----------------------------------------------------------------------------------------------------- hour and airport


@dataclass(slots=True)
class OpenHour:
    """An hour of one airport, in event time: that of the scheduled departures. `scheduled` is -1 until it is known."""

    scheduled: int = -1
    departed: int = 0
    cancelled: int = 0
    delay: int = 0


OPEN_HOUR = ValueSpec("open", make_json_type("flights.types/open-hour", OpenHour))
CLOSED_HOUR = ValueSpec("closed", HOUR_REPORT, expire_after_write=timedelta(days=7))


@functions.bind("flights/hour", specs=[OPEN_HOUR, CLOSED_HOUR])
def hour(context: Context, message: Message) -> None:
    """A window of one hour. It closes when every flight of the timetable was heard of, whatever their order.

    A later flight cannot close it: the flights come from many aircraft, and no order is promised between them.
    """
    window = context.storage.get(OPEN_HOUR) or OpenHour()
    if message.is_type(TIMETABLE):
        window.scheduled = int(value(message, TIMETABLE).departures)
    elif message.is_type(CANCELLED):
        window.cancelled += 1
    else:
        window.departed += 1
        window.delay += value(message, Int32Type)
    if window.departed + window.cancelled != window.scheduled:
        context.storage.set(OPEN_HOUR, window)
        return
    report = HourReport(context.address.id, window.departed, window.cancelled, window.delay)
    context.storage.remove(OPEN_HOUR)
    context.storage.set(CLOSED_HOUR, report)
    airport, _, _ = context.address.id.partition("@")
    context.send(message_builder("flights/airport", airport, value=report, value_type=HOUR_REPORT))


@dataclass(slots=True)
class AirportFigures:
    """The complete hours of an airport; `disrupted` ones left half an hour late on average, or not at all."""

    hours: int = 0
    departed: int = 0
    cancelled: int = 0
    delay: int = 0
    disrupted: int = 0
    worst_hour: str = ""
    worst_delay: int = 0


AIRPORT = ValueSpec("figures", make_json_type("flights.types/airport", AirportFigures))


@functions.bind("flights/airport", specs=[AIRPORT])
def airport(context: Context, message: Message) -> None:
    """Add a complete hour. Hours complete in any order, so of two equally bad ones the earlier is the worst."""
    report = value(message, HOUR_REPORT)
    figures = context.storage.get(AIRPORT) or AirportFigures()
    figures.hours += 1
    figures.departed += report.departed
    figures.cancelled += report.cancelled
    figures.delay += report.delay
    figures.disrupted += report.delay >= 30 * report.departed
    if (-report.delay, report.hour) < (-figures.worst_delay, figures.worst_hour):
        figures.worst_hour, figures.worst_delay = report.hour, report.delay
    context.storage.set(AIRPORT, figures)


# ---------------------------------------------------------------------------------------------------------------- watch


@dataclass(slots=True)
class WatchState:
    """How many alerts an aircraft has had, and whether the last is still open."""

    alerts: int = 0
    open: bool = False


WATCH = ValueSpec("watch", make_json_type("flights.types/watch", WatchState), expire_after_call=timedelta(days=30))


@functions.bind("flights/watch", specs=[WATCH])
def watch(context: Context, message: Message) -> None:
    """Raise an alert when the aircraft runs late, clear it when it has recovered, remind when it does not."""
    state = context.storage.get(WATCH) or WatchState()
    if message.is_type(REMINDER):
        reminder = value(message, REMINDER)
        if state.open and reminder.alert == state.alerts:
            context.send_egress(egress_message_builder("flights/reminders", value=reminder, value_type=ALERT))
        return
    flight = value(message, FLIGHT)
    if flight.delay is None:
        return
    if flight.delay >= LATE and not state.open:
        state = WatchState(state.alerts + 1, open=True)
        raised = Alert(context.address.id, state.alerts, "raised", flight.number, flight.scheduled, flight.delay)
        context.send_egress(egress_message_builder("flights/alerts", value=raised, value_type=ALERT))
        later = message_builder("flights/watch", context.address.id, value=raised, value_type=REMINDER)
        context.send_after(REMIND_AFTER, later, cancellation_token=f"alert-{state.alerts}")
    elif flight.delay <= RECOVERED and state.open:
        state = WatchState(state.alerts, open=False)
        cleared = Alert(context.address.id, state.alerts, "cleared", flight.number, flight.scheduled, flight.delay)
        context.send_egress(egress_message_builder("flights/alerts", value=cleared, value_type=ALERT))
        context.cancel_delayed_message(f"alert-{state.alerts}")
    else:
        return
    context.storage.set(WATCH, state)
