"""Has an operation carried out: by the runtime that owns the data directory, or here if nobody does."""

import json
import os
import pwd
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from statefun_runtime.cli.failure import CommandError
from statefun_runtime.cli.live import LiveRuntime
from statefun_runtime.console.operations_action import PATH
from statefun_runtime.errors import StoreLockedError
from statefun_runtime.operation import MAX_TARGETS, Action, Operation, Outcome, Target, target_text
from statefun_runtime.operation_runner import perform_stopped


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
    who = operator_name()
    for start in range(0, len(targets), MAX_TARGETS):
        yield from _repeated(data, Operation(action, tuple(targets[start : start + MAX_TARGETS]), who))


def _repeated(data: Path, operation: Operation) -> Iterator[Outcome]:
    """Carry out an operation again for the targets for which there is more to do."""
    left = operation.targets
    while left:
        outcomes = _perform(data, operation._replace(targets=left))
        yield from (outcome for outcome in outcomes if outcome.text)
        again = {outcome.target for outcome in outcomes if outcome.more}
        left = tuple(target for target in operation.targets if target_text(target) in again)


def _perform(data: Path, operation: Operation) -> list[Outcome]:
    try:
        return perform_stopped(data, operation)
    except StoreLockedError as locked:
        answer = LiveRuntime(data, locked).act(PATH, operation.as_json())
        return [Outcome.from_json(outcome) for outcome in answer["outcomes"]]


def operator_name() -> str:
    """Who this is to the operating system."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
