"""`statefun parked`: addresses whose messages wait because their function failed for good."""

import time
from itertools import islice
from pathlib import Path

import click

from statefun_runtime.cli.address import parse_address
from statefun_runtime.cli.choice import (
    Choice,
    Targets,
    choice_options,
    confirm,
    json_option,
    target_options,
    yes_option,
)
from statefun_runtime.cli.data_option import data_option
from statefun_runtime.cli.failure import Command, CommandError
from statefun_runtime.cli.listing import print_rows
from statefun_runtime.cli.operate import operate
from statefun_runtime.cli.replay import Replay, debugger_option, functions_option, replay
from statefun_runtime.cli.value_text import time_text
from statefun_runtime.epoch import Parked
from statefun_runtime.inspection import read_mailbox, read_parked, read_values_of
from statefun_runtime.interfaces import Address
from statefun_runtime.operation import Action, target_text


@click.group()
def parked() -> None:
    """Read which addresses are parked, and have them called again.

    The mailbox of a parked address is kept and nothing is delivered to it; all other addresses go on. The application
    may run or be stopped: a running one is asked to act, in the data directory of a stopped one this command acts
    itself. It returns when what it did is durable, and the journal keeps it.
    """


@parked.command("list", cls=Command)
@data_option
@choice_options
@json_option
def list_parked(data: Path, choice: Choice, as_json: bool) -> None:
    """List the parked addresses: since when, after how many attempts, and why.

    \b
    Example:
      statefun parked list --type shop/cart
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    print_rows(read_parked(data, *choice), _line, _as_json, as_json=as_json, empty="no address is parked")


@parked.command(cls=Command)
@target_options("ADDRESS...")
@data_option
@json_option
def resume(data: Path, targets: Targets, as_json: bool) -> None:
    """Call parked addresses again, beginning with the message that failed.

    \b
    Examples:
      statefun parked resume shop/cart/ada
      statefun parked resume --type shop/cart
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    operate(data, Action.RESUME, _addresses(data, targets), as_json=as_json)


@parked.command(cls=Command)
@target_options("ADDRESS...")
@data_option
@json_option
@yes_option
def skip(data: Path, targets: Targets, as_json: bool, yes: bool) -> None:
    """Make the first message of a parked address a dead letter, then call the address again.

    The first message is the one that failed if the failed call carried no others, as after bisecting; `statefun parked
    list --json` tells how many it carried.

    \b
    Example:
      statefun parked skip shop/cart/ada
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    addresses = _addresses(data, targets)
    confirm(f"Skip the first message of {_counted(addresses)}?", yes)
    operate(data, Action.SKIP, addresses, as_json=as_json)


@parked.command(cls=Command)
@target_options("ADDRESS...")
@data_option
@click.option("--discard", is_flag=True, help="Delete the messages for good; no dead letters are made of them.")
@json_option
@yes_option
def purge(data: Path, targets: Targets, discard: bool, as_json: bool, yes: bool) -> None:
    """Make all messages of a parked address dead letters, then call the address again when new ones come.

    \b
    Examples:
      statefun parked purge shop/cart/ada
      statefun parked purge --type shop/cart --discard --yes
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    addresses = _addresses(data, targets)
    what = "Delete all messages" if discard else "Make dead letters of all messages"
    confirm(f"{what} of {_counted(addresses)}?", yes)
    operate(data, Action.DISCARD if discard else Action.PURGE, addresses, as_json=as_json)


@parked.command(cls=Command)
@click.argument("address", metavar="NAMESPACE/TYPE/ID")
@data_option
@functions_option
@debugger_option
def debug(address: str, data: Path, functions: str, in_debugger: bool) -> None:
    """Call the function here with the messages that it failed at, and print what it does; nothing of it is applied.

    The messages are those that the failed call carried, the state is what is durable now. The function runs in this
    process: a breakpoint() in it works, and --pdb stops at its first line.

    \b
    Example:
      statefun parked debug shop/cart/ada --functions app:functions
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    target = parse_address(address)
    why = next((why for found, why in read_parked(data, *target) if found == target), None)
    if why is None:
        raise CommandError(f"{address} is not parked")
    if not why.messages:
        raise CommandError(f"{address} is being purged; the messages that failed are dead letters or deleted")
    messages = list(islice(read_mailbox(data, target), why.messages))
    replay(functions, Replay(target, messages, read_values_of(data, target), time.time_ns() // 1_000_000), in_debugger)


def _line(row: tuple[Address, Parked]) -> str:
    address, why = row
    return f"{target_text(address)}  since {time_text(why.since)}, {why.attempts} attempts: {why.reason}"


def _as_json(row: tuple[Address, Parked]) -> dict[str, object]:
    (typename, identifier), why = row
    return {
        "type": typename,
        "id": identifier,
        "since": time_text(why.since),
        "attempts": why.attempts,
        "reason": why.reason,
        "kind": why.kind.value,
        "messages": why.messages,
    }


def _addresses(data: Path, targets: Targets) -> list[Address]:
    if targets.named:
        return [parse_address(text) for text in targets.named]
    found = [address for address, _ in read_parked(data, *targets.choice)]
    if not found:
        raise CommandError("no parked address is of that choice")
    return found


def _counted(addresses: list[Address]) -> str:
    return target_text(addresses[0]) if len(addresses) == 1 else f"{len(addresses)} addresses"
