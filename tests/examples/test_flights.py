"""The functions of the flights application reach the figures that were computed from the input alone."""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from examples.flights.compare import Tables, differences
from examples.flights.data import Prepared, prepare, read_rows, source
from examples.flights.expected import expected
from examples.flights.functions import FLIGHT, TIMETABLE, functions
from statefun.protocol.request_reply_pb2 import Address, TypedValue
from tests.examples.in_memory import InMemory

JANUARY = 1


def feed(application: InMemory, prepared: Prepared) -> None:
    """All flights, with pauses in which the application works, then the timetable."""
    for number, line in enumerate(prepared.flights.read_bytes().splitlines()):
        aircraft = Address(namespace="flights", type="aircraft", id=json.loads(line)["aircraft"])
        application.deliver(aircraft, TypedValue(typename=FLIGHT.typename, has_value=True, value=line))
        if number % 2000 == 0:
            application.run()
    application.run()
    with prepared.timetable.open(newline="") as table:
        for row in csv.DictReader(table):
            hour = Address(namespace="flights", type="hour", id=row["hour"])
            value = json.dumps(row).encode()
            application.deliver(hour, TypedValue(typename=TIMETABLE.typename, has_value=True, value=value))
    application.run()
    application.fire()
    application.run()


def states(application: InMemory) -> Tables:
    tables: Tables = defaultdict(dict)
    for (namespace, name, identifier), values in application.states.items():
        for state, value in values.items():
            if value.has_value:
                tables[f"{namespace}/{name} {state}"][identifier] = json.loads(value.value)
    return tables


def alerts(application: InMemory) -> dict[str, list[Any]]:
    by_aircraft: dict[str, list[Any]] = defaultdict(list)
    for record in application.egress:
        assert (record.egress_namespace, record.egress_type) == ("flights", "alerts")
        alert = json.loads(record.argument.value)
        by_aircraft[alert["aircraft"]].append(alert)
    return by_aircraft


@pytest.mark.slow
def test_the_functions_reach_the_figures_of_the_input(tmp_path: Path) -> None:
    application = InMemory(functions)
    feed(application, prepare(tmp_path, JANUARY))
    wanted_states, wanted_alerts = expected(read_rows(source(), JANUARY))
    found = {**states(application), "alerts": alerts(application)}
    assert list(differences({**wanted_states, "alerts": wanted_alerts}, found)) == []
    still_open = sum(lines[-1]["event"] == "raised" for lines in wanted_alerts.values())
    assert len(application.delayed) == still_open > 0
