"""`statefun mailbox`: the messages that wait for one address."""

import json
from itertools import islice
from pathlib import Path

import click

from statefun_runtime.cli.address import parse_address
from statefun_runtime.cli.choice import json_option
from statefun_runtime.cli.data_option import data_option
from statefun_runtime.cli.failure import Command
from statefun_runtime.cli.value_text import address_json, decode_payload, typed_line
from statefun_runtime.inspection import read_mailbox
from statefun_runtime.operation import target_text

limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    metavar="COUNT",
    help="Show at most so many.",
)


@click.command(cls=Command)
@click.argument("address", metavar="NAMESPACE/TYPE/ID")
@data_option
@limit_option
@json_option
def mailbox(address: str, data: Path, limit: int, as_json: bool) -> None:
    """List the messages that wait for an address, the next one first.

    The runtime may be live or stopped: shown is what was durable when the command started. A message that is consumed
    in the epoch that it came in is never seen here.

    \b
    Example:
      statefun mailbox shop/cart/ada
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    messages = read_mailbox(data, parse_address(address))
    found = False
    for sequence, _, caller, payload in islice(messages, limit):
        found = True
        if as_json:
            row = {"sequence": sequence, "caller": address_json(caller), "message": decode_payload(payload)}
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            click.echo(f"{sequence}  from {target_text(caller) if caller else 'an ingress'}  {typed_line(payload)}")
    if next(messages, None) is not None:
        click.echo(f"more than {limit} messages wait; show more with --limit", err=True)
    elif not found and not as_json:
        click.echo("no message waits", err=True)
