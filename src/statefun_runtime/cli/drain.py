"""`statefun drain`: let an application finish what it has, and take nothing more."""

import json
import time
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import click

from statefun_runtime.cli.data_option import data_option
from statefun_runtime.cli.failure import Command, CommandError, ExitCode
from statefun_runtime.cli.live import LiveRuntime
from statefun_runtime.cli.value_text import time_text
from statefun_runtime.epoch import DelayedMessage
from statefun_runtime.inspection import count_parked_messages, read_delayed
from statefun_runtime.maintenance import DRAIN, STOP
from statefun_runtime.operation import target_text
from statefun_runtime.store.ownership import Ownership

_LOOK_SECONDS = 0.2
_SHOWN = 20


class Drained(NamedTuple):
    """An application without messages that could be handled."""

    epoch: int
    parked_messages: int


@click.command(cls=Command)
@data_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="How long the messages may take, and then the end of the process.",
)
@click.option("--keep-running", is_flag=True, help="Leave the process running, without ingresses.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def drain(data: Path, timeout: float, keep_running: bool, as_json: bool) -> None:
    """Stop ingresses, run until the mailboxes are empty, list what is delayed, and stop the process.

    Messages of parked addresses stay and are counted. When the time is over before that, the ingresses stay stopped,
    the process goes on, and the exit code is 1: drain again to go on waiting, or stop the process.

    \b
    Example:
      statefun drain && statefun savepoint create before-upgrade
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    live = LiveRuntime(data, CommandError(f"no runtime runs on {data}", ExitCode.UNREACHABLE))
    live.act(DRAIN, {})
    outcome = _wait(live, data, timeout)
    delayed = iter(read_delayed(data))
    shown = list(islice(delayed, _SHOWN))
    total = len(shown) + sum(1 for _ in delayed)
    if not keep_running:
        live.act(STOP, {})
        _await_end(data, timeout)
    if as_json:
        click.echo(json.dumps(_as_json(outcome, shown, total, stopped=not keep_running), ensure_ascii=False))
    else:
        _print(outcome, shown, total, stopped=not keep_running)


def _wait(live: LiveRuntime, data: Path, timeout: float) -> Drained:
    """Wait until nothing is left that could be handled, and tell how much is while it changes."""
    give_up = time.monotonic() + timeout
    told = None
    while True:
        status = live.status()
        pending: int = status["pending"]
        if status["idle"]:
            return Drained(status["epoch"], 0)
        if status["parked"] and pending == count_parked_messages(data):
            return Drained(status["epoch"], pending)
        if pending != told:
            click.echo(f"{pending} messages left", err=True)
            told = pending
        if time.monotonic() >= give_up:
            raise CommandError(f"not drained within {timeout:g} s: {pending} messages left, {_where(status)}")
        time.sleep(_LOOK_SECONDS)


def _where(status: dict[str, Any]) -> str:
    waiting = {name: figures["backlog"] for name, figures in status["functions"].items() if figures["backlog"]}
    most = sorted(waiting, key=lambda name: -waiting[name])[:3]
    return f"most of them for {', '.join(most)}. Drain again to go on waiting" if most else "drain again to go on"


def _await_end(data: Path, timeout: float) -> None:
    """Wait until the process has let go of its data."""
    Ownership(data, timeout).release()


def _print(outcome: Drained, shown: list[DelayedMessage], total: int, *, stopped: bool) -> None:
    click.echo(f"drained at epoch {outcome.epoch}; {'stopped' if stopped else 'running without ingresses'}")
    if outcome.parked_messages:
        click.echo(f"{outcome.parked_messages} messages wait at parked addresses; `statefun parked list` shows why")
    click.echo(f"{total} delayed messages" + (f", the first {len(shown)}:" if total > len(shown) else ""))
    for message in shown:
        addresses = f"{target_text(message.target)}  from {target_text(message.caller)}"
        click.echo(f"  {time_text(message.due)}  to {addresses}")


def _as_json(outcome: Drained, shown: list[DelayedMessage], total: int, *, stopped: bool) -> dict[str, Any]:
    first = [
        {
            "due": time_text(message.due),
            "target": target_text(message.target),
            "sender": target_text(message.caller),
            "token": message.token,
        }
        for message in shown
    ]
    return {**outcome._asdict(), "stopped": stopped, "delayed": total, "first_delayed": first}
