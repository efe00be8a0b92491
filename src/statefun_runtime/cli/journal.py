"""`statefun journal`: what operators did."""

from pathlib import Path

import click

from statefun_runtime.cli.choice import json_option
from statefun_runtime.cli.data_option import data_option
from statefun_runtime.cli.failure import Command
from statefun_runtime.cli.listing import print_rows
from statefun_runtime.cli.value_text import time_text
from statefun_runtime.epoch import JournalEntry
from statefun_runtime.inspection import read_journal


@click.command(cls=Command)
@data_option
@json_option
def journal(data: Path, as_json: bool) -> None:
    """List what operators did, oldest first: time, who, action, target and outcome.

    Each action is journalled in the epoch that makes it durable. Who it was is what the operating system says of the
    user who ran the command.

    \b
    Example:
      statefun journal
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    print_rows(read_journal(data), _line, _as_json, as_json=as_json, empty="no operator has done anything")


def _line(entry: JournalEntry) -> str:
    return f"{time_text(entry.time)}  {entry.who}  {entry.action} {entry.target}: {entry.detail}"


def _as_json(entry: JournalEntry) -> dict[str, object]:
    return {**entry._asdict(), "time": time_text(entry.time)}
