"""Has an operation carried out: by the runtime that owns the data directory, or here if nobody does."""

import http.client
import json
import os
import pwd
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import click

from statefun_runtime.access import Access, read_access
from statefun_runtime.cli.failure import CommandError, ExitCode
from statefun_runtime.console.operations import PATH
from statefun_runtime.errors import StoreLockedError
from statefun_runtime.operating import perform_stopped
from statefun_runtime.operation import MAX_TARGETS, Action, Operation, Outcome, Target

_SECONDS = 30.0
"""How long a runtime may take to make an operation durable."""
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  compared with, not bound to


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
            access = read_access(data)
            if access is None:
                raise
            yield from _ask(access, operation, locked)


def operator_name() -> str:
    """Who this is to the operating system."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _ask(access: Access, operation: Operation, locked: StoreLockedError) -> list[Outcome]:
    connection = http.client.HTTPConnection(_EVERYWHERE.get(access.host, access.host), access.port, timeout=_SECONDS)
    try:
        connection.request("POST", PATH, json.dumps(operation.as_json()), {"Authorization": f"Bearer {access.token}"})
        answer = connection.getresponse()
        status, body = answer.status, answer.read()
    except ConnectionRefusedError as error:
        raise CommandError(
            f"{locked}; its admin server at {access.host}:{access.port} does not answer yet", ExitCode.UNREACHABLE
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise CommandError(
            f"the runtime at {access.host}:{access.port} gave no answer ({error}); "
            "whether it was done is unknown: `statefun journal` shows it",
            ExitCode.UNREACHABLE,
        ) from error
    finally:
        connection.close()
    return _read(status, body)


def _read(status: int, body: bytes) -> list[Outcome]:
    try:
        answer = cast("object", json.loads(body))
        fields = cast("dict[str, object]", answer) if isinstance(answer, dict) else {}
        if "error" in fields:
            raise CommandError(f"the runtime refused the operation: {status} {fields['error']}")
        return [Outcome.from_json(outcome) for outcome in cast("list[object]", fields["outcomes"])]
    except (ValueError, KeyError, TypeError) as error:
        raise CommandError(f"the runtime answered {status} with what is no outcome: {body[:200]!r}") from error
