"""`statefun delayed`: messages that are not yet due."""

from pathlib import Path

import click

from statefun_runtime.cli.choice import Choice, choice_options, json_option
from statefun_runtime.cli.data_option import data_option
from statefun_runtime.cli.failure import Command
from statefun_runtime.cli.listing import limit_option, print_rows
from statefun_runtime.cli.value_text import address_json, decode_payload, time_text, typed_line
from statefun_runtime.epoch import DelayedMessage
from statefun_runtime.inspection import read_delayed
from statefun_runtime.operation import target_text


@click.group()
def delayed() -> None:
    """Read the messages that are not yet due.

    The runtime may be live or stopped: shown is what was durable when the command started.
    """


@delayed.command("list", cls=Command)
@data_option
@choice_options
@limit_option
@json_option
def list_delayed(data: Path, choice: Choice, limit: int, as_json: bool) -> None:
    """List delayed messages in the order in which they will be delivered; choose them by their targets.

    \b
    Example:
      statefun delayed list --type shop/cart
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    messages = read_delayed(data, *choice)
    print_rows(messages, _line, _as_json, as_json=as_json, empty="no message is delayed", limit=limit)


def _line(message: DelayedMessage) -> str:
    token = f"  token {message.token}" if message.token else ""
    addresses = f"{target_text(message.target)}  from {target_text(message.caller)}"
    return f"{time_text(message.due)}  to {addresses}{token}  {typed_line(message.payload)}"


def _as_json(message: DelayedMessage) -> dict[str, object]:
    return {
        "due": time_text(message.due),
        "sequence": message.sequence,
        "target": address_json(message.target),
        "caller": address_json(message.caller),
        "token": message.token or None,
        "message": decode_payload(message.payload),
    }
