import csv
import json
from pathlib import Path

import pytest

from examples.flights.compare import differences
from examples.flights.data import flight, read_rows, scheduled, source, write_files
from examples.flights.expected import expected


def row(**values: str) -> dict[str, str]:
    """A row of the package's file."""
    given = {
        "month": "1",
        "dep_delay": "0",
        "carrier": "UA",
        "flight": "1545",
        "tailnum": "N14228",
        "origin": "EWR",
        "dest": "IAH",
        "minute": "15",
        "time_hour": "2013-01-01T10:00:00Z",
    }
    return {**given, **values}


def day_of_one_aircraft() -> list[dict[str, str]]:
    """Late by an hour, still late, on time, late again, cancelled."""
    delays = ("60", "16", "15", "61", "NA")
    return [row(dep_delay=delay, time_hour=f"2013-01-01T1{hour}:00:00Z") for hour, delay in enumerate(delays)]


def test_flights_are_written_in_order_of_departure_carrier_and_number(tmp_path: Path) -> None:
    rows = [row(minute="16"), row(flight="10"), row(flight="9"), row(carrier="AA")]
    counts = write_files(rows, tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "flights.jsonl").read_text().splitlines()]
    assert [(line["scheduled"][-3:], line["number"]) for line in lines] == [
        ("15Z", "AA1545"),
        ("15Z", "UA9"),
        ("15Z", "UA10"),
        ("16Z", "UA1545"),
    ]
    assert counts == (4, 1)


def test_the_timetable_counts_the_flights_of_each_hour_and_airport(tmp_path: Path) -> None:
    write_files([row(), row(flight="2"), row(origin="JFK"), row(time_hour="2013-01-01T11:00:00Z")], tmp_path)
    with (tmp_path / "timetable.csv").open(newline="") as table:
        assert list(csv.DictReader(table)) == [
            {"hour": "EWR@2013-01-01T10", "departures": "2"},
            {"hour": "JFK@2013-01-01T10", "departures": "1"},
            {"hour": "EWR@2013-01-01T11", "departures": "1"},
        ]


def test_a_flight_without_tail_number_has_an_aircraft_of_its_own() -> None:
    assert flight(row(tailnum="NA"))["aircraft"] == "unassigned-UA1545"


def test_a_flight_without_departure_is_cancelled() -> None:
    assert flight(row(dep_delay="NA"))["delay"] is None


def test_minutes_have_two_digits() -> None:
    assert scheduled(row(minute="5")) == "2013-01-01T10:05Z"


@pytest.mark.slow
def test_the_package_holds_the_flights_of_january() -> None:
    rows = list(read_rows(source(), month=1))
    assert len(rows) == 27_004
    assert len({(scheduled(row), row["carrier"], row["flight"]) for row in rows}) == len(rows)


def test_the_expected_figures_of_one_aircraft() -> None:
    states, alerts = expected(day_of_one_aircraft())
    assert states["flights/aircraft logbook"]["N14228"] | {"digest": ""} == {
        "last": "2013-01-01T14:15Z UA1545 EWR-IAH",
        "rotations": 4,
        "cancelled": 1,
        "delay": 152,
        "digest": "",
    }
    assert states["flights/route figures"]["EWR-IAH"] == {
        "departed": 4,
        "cancelled": 1,
        "delay": 152,
        "squares": 3600 + 256 + 225 + 3721,
        "earliest": 0,
        "latest": 61,
    }
    assert states["flights/airport figures"]["EWR"] == {
        "hours": 5,
        "departed": 4,
        "cancelled": 1,
        "delay": 152,
        "disrupted": 3,
        "worst_hour": "EWR@2013-01-01T13",
        "worst_delay": 61,
    }
    assert states["flights/watch watch"]["N14228"] == {"alerts": 2, "open": True}
    assert [(alert["alert"], alert["event"], alert["delay"]) for alert in alerts["N14228"]] == [
        (1, "raised", 60),
        (1, "cleared", 15),
        (2, "raised", 61),
    ]


def test_equal_tables_have_no_difference() -> None:
    states, _ = expected(day_of_one_aircraft())
    assert list(differences(states, states)) == []


def test_a_lost_a_doubled_and_a_changed_flight_are_all_noticed() -> None:
    rows = day_of_one_aircraft()
    changed = [rows[0], rows[1] | {"minute": "20"}, *rows[2:]]
    states, _ = expected(rows)
    for wrong in (rows[1:], [*rows, row(flight="2")], changed):
        found, _ = expected(wrong)
        assert any(line.startswith("flights/aircraft logbook of N14228 is ") for line in differences(states, found))


def test_a_difference_names_its_table_and_key() -> None:
    lines = list(differences({"t": {"a": 1, "b": 2, "c": 3}}, {"t": {"b": 4, "c": 3, "d": 5}}))
    assert lines == [
        "t of a is missing, expected 1",
        "t of b is 4, expected 2",
        "t of d is there, but nothing was expected: 5",
    ]
