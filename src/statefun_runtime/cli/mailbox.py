"""`statefun mailbox`: the messages that wait for one address."""

from pathlib import Path

import click

from statefun_runtime.cli.address import parse_address
from statefun_runtime.cli.choice import json_option
from statefun_runtime.cli.data_option import data_option
from statefun_runtime.cli.failure import Command
from statefun_runtime.cli.listing import limit_option, print_rows
from statefun_runtime.cli.value_text import address_json, caller_text, decode_payload, typed_line
from statefun_runtime.inspection import read_mailbox
from statefun_runtime.interfaces import Message


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
    print_rows(messages, _line, _as_json, as_json=as_json, empty="no message waits", limit=limit)


def _line(message: Message) -> str:
    sequence, _, caller, payload = message
    return f"{sequence}  from {caller_text(caller)}  {typed_line(payload)}"


def _as_json(message: Message) -> dict[str, object]:
    sequence, _, caller, payload = message
    return {"sequence": sequence, "caller": address_json(caller), "message": decode_payload(payload)}
