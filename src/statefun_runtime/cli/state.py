"""`statefun state`: the durable values of a data directory, beside a live runtime or after it has stopped."""

import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from statefun_runtime.cli.address import parse_address
from statefun_runtime.cli.data_option import data_option
from statefun_runtime.cli.failure import Command, CommandError
from statefun_runtime.cli.value_text import decode_payload, one_line
from statefun_runtime.inspection import StateRecord, read_states


@click.group()
def state() -> None:
    """Read the states of functions.

    The runtime may be live or stopped: shown is what was durable when the command started. Values of primitive types
    and JSON are decoded, others are shown in base64 with their typename. A value that has expired stays visible until
    it is deleted.
    """


@state.command("list", cls=Command)
@data_option
@click.option("--type", "typename", metavar="NAMESPACE/NAME", help="Only of this function type.")
@click.option("--id-prefix", default="", metavar="TEXT", help="Only of ids that begin so; needs --type.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_states(data: Path, typename: str | None, id_prefix: str, as_json: bool) -> None:
    """List values, one a line, ordered by address.

    \b
    Example:
      statefun state list --type shop/cart --id-prefix ada
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    if id_prefix and typename is None:
        raise click.UsageError("--id-prefix needs --type")
    _print(read_states(data, typename, id_prefix), as_json)


@state.command("show", cls=Command)
@click.argument("address", metavar="NAMESPACE/TYPE/ID")
@data_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def show_state(address: str, data: Path, as_json: bool) -> None:
    """Show all values of one address in full.

    \b
    Example:
      statefun state show shop/cart/ada
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    typename, identifier = parse_address(address)
    records = [record for record in read_states(data, typename, identifier) if record.id == identifier]
    if not records:
        raise CommandError(f"{address} has no durable state in {data}")
    if as_json:
        _print(records, as_json=True)
        return
    for record in records:
        shown = decode_payload(record.payload)
        click.echo(f"{record.name} ({shown['typename']}): {one_line(shown)}")


def _print(records: Iterable[StateRecord], as_json: bool) -> None:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for record in records:
        shown = decode_payload(record.payload)
        if as_json:
            line = json.dumps(
                {"type": record.typename, "id": record.id, "name": record.name, **shown}, ensure_ascii=False
            )
        else:
            line = f"{record.typename}/{record.id}  {record.name}  {shown['typename']}  {one_line(shown)}"
            if width is not None and len(line) > width:
                line = f"{line[: width - 1]}…"
        click.echo(line)
