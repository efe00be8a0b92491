"""`statefun journal`: what operators did."""

import json
from pathlib import Path

import click

from statefun_runtime.cli.choice import json_option
from statefun_runtime.cli.data_option import data_option
from statefun_runtime.cli.failure import Command
from statefun_runtime.cli.value_text import time_text
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
    found = False
    for entry in read_journal(data):
        found = True
        if as_json:
            row = entry._asdict() | {"time": time_text(entry.time)}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(f"{time_text(entry.time)}  {entry.who}  {entry.action} {entry.target}: {entry.detail}")
    if not found and not as_json:
        click.echo("no operator has done anything", err=True)
