"""`statefun dead-letters`: what could not be delivered, kept with the reason."""

import base64
import json
from pathlib import Path
from typing import Any

import click

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
from statefun_runtime.cli.value_text import address_json, caller_text, decode_payload, time_text, typed_line
from statefun_runtime.epoch import DeadLetter, LetterKind
from statefun_runtime.inspection import read_dead_letter, read_dead_letters
from statefun_runtime.interfaces import Payload
from statefun_runtime.operation import Action, target_text


@click.group("dead-letters")
def dead_letters() -> None:
    """Read what could not be delivered, send it again or delete it.

    A dead letter keeps the message, the reason, and the state that the function saw. The application may run or be
    stopped: a running one is asked to act, in the data directory of a stopped one this command acts itself.
    """


@dead_letters.command("list", cls=Command)
@data_option
@choice_options
@json_option
def list_letters(data: Path, choice: Choice, as_json: bool) -> None:
    """List dead letters: number, time, target, attempts and reason.

    \b
    Example:
      statefun dead-letters list --type shop/cart
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    letters = read_dead_letters(data, *choice)
    print_rows(letters, _line, _as_json, as_json=as_json, empty="there are no dead letters")


@dead_letters.command("show", cls=Command)
@click.argument("number", metavar="NUMBER", type=int)
@data_option
@json_option
def show_letter(number: int, data: Path, as_json: bool) -> None:
    """Show one dead letter in full: the message, and the state that the function saw.

    \b
    Example:
      statefun dead-letters show 4711
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    letter = _letter(data, number)
    if as_json:
        click.echo(json.dumps(_as_json(letter), ensure_ascii=False))
        return
    toward = "of" if letter.kind is LetterKind.INGRESS_RECORD else "to"
    click.echo(f"{letter.kind.value} {toward} {_whereto(letter)}, {time_text(letter.time)}")
    click.echo(f"{_why(letter)}")
    click.echo(f"{_source(letter)}: {typed_line(letter.message[3])}")
    for name, (_, value) in letter.state.items():
        click.echo(f"state {name}: {typed_line(value)}")


@dead_letters.command(cls=Command)
@target_options("NUMBER...")
@data_option
@json_option
def resend(data: Path, targets: Targets, as_json: bool) -> None:
    """Send dead letters again: each becomes a new message behind those that wait, and is a dead letter no more.

    \b
    Examples:
      statefun dead-letters resend 4711
      statefun dead-letters resend --type shop/cart
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    operate(data, Action.RESEND, _numbers(data, targets), as_json=as_json)


@dead_letters.command(cls=Command)
@target_options("NUMBER...")
@data_option
@json_option
@yes_option
def delete(data: Path, targets: Targets, as_json: bool, yes: bool) -> None:
    """Delete dead letters for good.

    \b
    Example:
      statefun dead-letters delete 4711
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    numbers = _numbers(data, targets)
    confirm(f"Delete {f'dead letter {numbers[0]}' if len(numbers) == 1 else f'{len(numbers)} dead letters'}?", yes)
    operate(data, Action.DELETE, numbers, as_json=as_json)


@dead_letters.command(cls=Command)
@data_option
@choice_options
def export(data: Path, choice: Choice) -> None:
    """Print dead letters as JSON, one a line, with the bytes of all values in base64 beside what they decode to.

    \b
    Example:
      statefun dead-letters export > letters.jsonl
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    for letter in read_dead_letters(data, *choice):
        row = _as_json(letter) | {
            "payload": _base64(letter.message[3]),
            "state_payloads": {name: _base64(value) for name, (_, value) in letter.state.items()},
        }
        click.echo(json.dumps(row, ensure_ascii=False))


@dead_letters.command(cls=Command)
@click.argument("number", metavar="NUMBER", type=int)
@data_option
@functions_option
@debugger_option
def debug(number: int, data: Path, functions: str, in_debugger: bool) -> None:
    """Call the function here with the message and the state of a dead letter; nothing of what it does is applied.

    What it would do is printed. The function runs in this process: a breakpoint() in it works, and --pdb stops at its
    first line.

    \b
    Example:
      statefun dead-letters debug 4711 --functions app:functions
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    letter = _letter(data, number)
    if letter.kind is not LetterKind.MESSAGE:
        raise CommandError(f"dead letter {number} is an {letter.kind.value}; no function takes it")
    replay(functions, Replay(letter.message[1], [letter.message], letter.state, letter.time), in_debugger)


def _letter(data: Path, number: int) -> DeadLetter:
    letter = read_dead_letter(data, number) if 0 <= number < 1 << 63 else None
    if letter is None:
        raise CommandError(f"there is no dead letter {number}")
    return letter


def _numbers(data: Path, targets: Targets) -> list[int]:
    if not targets.named:
        found = [letter.number for letter in read_dead_letters(data, *targets.choice)]
        if not found:
            raise CommandError("no dead letter is of that choice")
        return found
    numbers = [int(text) for text in targets.named if text.isascii() and text.isdigit() and len(text) < 19]
    if len(numbers) != len(targets.named):
        raise click.BadParameter("a dead letter is named by its number", param_hint="NUMBER")
    return numbers


def _whereto(letter: DeadLetter) -> str:
    return letter.destination if letter.kind is LetterKind.EGRESS_RECORD else target_text(letter.message[1])


def _source(letter: DeadLetter) -> str:
    """Who sent it, as far as that is known: the outbox does not keep who sent a record."""
    _, target, caller, _ = letter.message
    if letter.kind is LetterKind.MESSAGE or caller is not None:
        return f"from {caller_text(caller)}"
    return f"for {target[1]}" if letter.kind is LetterKind.EGRESS_RECORD and target[1] else "value"


def _why(letter: DeadLetter) -> str:
    return f"{letter.attempts} attempts: {letter.reason}" if letter.attempts else letter.reason


def _line(letter: DeadLetter) -> str:
    return f"{letter.number}  {time_text(letter.time)}  {_whereto(letter)}  {_why(letter)}"


def _as_json(letter: DeadLetter) -> dict[str, Any]:
    _, target, caller, payload = letter.message
    return {
        "number": letter.number,
        "time": time_text(letter.time),
        "kind": letter.kind.value,
        "destination": letter.destination,
        "target": address_json(target),
        "caller": address_json(caller),
        "attempts": letter.attempts,
        "reason": letter.reason,
        "message": decode_payload(payload),
        "state": {name: decode_payload(value) for name, (_, value) in letter.state.items()},
    }


def _base64(payload: Payload) -> str:
    return base64.b64encode(payload).decode()
