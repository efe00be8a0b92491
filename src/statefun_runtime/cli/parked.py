"""`statefun parked`: addresses whose messages wait because their function failed for good."""

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from statefun_runtime.cli.data_option import data_option
from statefun_runtime.cli.failure import Command
from statefun_runtime.inspection import read_parked


@click.group()
def parked() -> None:
    """Read which addresses are parked.

    The mailbox of a parked address is kept and nothing is delivered to it; all other addresses go on. Read is a live
    or a stopped data directory.
    """


@parked.command("list", cls=Command)
@data_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_parked(data: Path, as_json: bool) -> None:
    """List the parked addresses: since when, after how many attempts, and why.

    \b
    Example:
      statefun parked list
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    found = False
    for (typename, identifier), why in read_parked(data):
        found = True
        since = datetime.fromtimestamp(why.since / 1000, UTC).isoformat(timespec="milliseconds")
        if as_json:
            row = {"type": typename, "id": identifier, "since": since, "attempts": why.attempts, "reason": why.reason}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(f"{typename}/{identifier}  since {since}, {why.attempts} attempts: {why.reason}")
    if not found and not as_json:
        click.echo("no address is parked", err=True)
