"""Reads what the functions left behind, and finds every difference to what is expected."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.inspection import read_states

Tables = dict[str, dict[str, Any]]
"""Name of a table -> key -> value, as JSON gives it."""


def stored_states(data: Path) -> Tables:
    """Every state in the data directory of a runtime that has stopped: function and state name -> id -> value."""
    tables: Tables = defaultdict(dict)
    for typename, instance, name, encoded in read_states(data):
        tables[f"{typename} {name}"][instance] = json.loads(TypedValue.FromString(encoded).value)
    return tables


def written_alerts(path: Path) -> dict[str, list[Any]]:
    """The lines of the alerts file by aircraft, in the order of the file."""
    alerts: dict[str, list[Any]] = defaultdict(list)
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            alert = json.loads(line)
            alerts[alert["aircraft"]].append(alert)
    return alerts


def differences(expected: Tables, found: Tables) -> Iterator[str]:
    """One line for each value that is missing, too many or not equal."""
    for table in sorted(expected.keys() | found.keys()):
        wanted, got = expected.get(table, {}), found.get(table, {})
        for key in sorted(wanted.keys() | got.keys()):
            if key not in got:
                yield f"{table} of {key} is missing, expected {wanted[key]}"
            elif key not in wanted:
                yield f"{table} of {key} is there, but nothing was expected: {got[key]}"
            elif wanted[key] != got[key]:
                yield f"{table} of {key} is {got[key]}, expected {wanted[key]}"
