"""Has an operation carried out: by the runtime that owns the data directory, or here if nobody does."""

import json
import os
import pwd
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from statefun_runtime.cli.failure import CommandError
from statefun_runtime.cli.live import LiveRuntime
from statefun_runtime.console.operations import PATH
from statefun_runtime.errors import StoreLockedError
from statefun_runtime.operating import perform_stopped
from statefun_runtime.operation import MAX_TARGETS, Action, Operation, Outcome, Target


def operate(data: Path, action: Action, targets: Sequence[Target], *, as_json: bool) -> None:
    """Carry out `action` on all `targets` and tell what came of each.

    Raises:
        CommandError: Something was not done.
        StoreError: The data directory cannot be used.
    """
    refused = 0
    for outcome in _outcomes(data, action, targets):
        refused += not outcome.done
        if as_json:
            click.echo(json.dumps(outcome.as_json(), ensure_ascii=False))
        else:
            click.echo(f"{outcome.target}  {outcome.text}", err=not outcome.done)
    if refused:
        raise CommandError(f"{refused} of {len(targets)} not done")


def _outcomes(data: Path, action: Action, targets: Sequence[Target]) -> Iterator[Outcome]:
    for start in range(0, len(targets), MAX_TARGETS):
        operation = Operation(action, tuple(targets[start : start + MAX_TARGETS]), operator_name())
        try:
            yield from perform_stopped(data, operation)
        except StoreLockedError as locked:
            answer = LiveRuntime(data, locked).act(PATH, operation.as_json())
            yield from map(Outcome.from_json, answer["outcomes"])


def operator_name() -> str:
    """Who this is to the operating system."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
