"""The arguments and options by which commands choose among addresses."""

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

import click

CommandFunction = Callable[..., None]


class Choice(NamedTuple):
    """Which addresses are meant: all, those of a type, or those of a type whose ids begin so."""

    typename: str | None
    id_prefix: str


class Targets(NamedTuple):
    """What a command is to act on: what is named, or what `choice` matches."""

    named: tuple[str, ...]
    choice: Choice


def choice_options(command: CommandFunction) -> CommandFunction:
    """Add `--type` and `--id-prefix`; the command gets them as `choice`."""

    @wraps(command)
    def with_choice(*, typename: str | None, id_prefix: str, **rest: Any) -> None:
        command(choice=_choice_of(typename, id_prefix), **rest)

    return _add_options(with_choice)


def target_options(metavar: str) -> Callable[[CommandFunction], CommandFunction]:
    """Add arguments shown as `metavar`, `--type`, `--id-prefix` and `--all`; the command gets them as `targets`."""

    def decorate(command: CommandFunction) -> CommandFunction:
        @wraps(command)
        def with_targets(
            *, named: tuple[str, ...], typename: str | None, id_prefix: str, everything: bool, **rest: Any
        ) -> None:
            choice = _choice_of(typename, id_prefix)
            if bool(named) + (typename is not None) + everything != 1:
                raise click.UsageError(f"give one of {metavar}, --type and --all")
            command(targets=Targets(named, choice), **rest)

        with_all = click.option("--all", "everything", is_flag=True, help="All there are.")(with_targets)
        return click.argument("named", metavar=metavar, nargs=-1)(_add_options(with_all))

    return decorate


def _add_options(command: CommandFunction) -> CommandFunction:
    command = click.option("--id-prefix", default="", metavar="TEXT", help="Only of ids that begin so; needs --type.")(
        command
    )
    return click.option("--type", "typename", metavar="NAMESPACE/NAME", help="Only of this function type.")(command)


def _choice_of(typename: str | None, id_prefix: str) -> Choice:
    if id_prefix and typename is None:
        raise click.UsageError("--id-prefix needs --type")
    return Choice(typename, id_prefix)


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def confirm(question: str, yes: bool) -> None:
    """Ask, unless `yes`. Raises click.Abort if the answer is not yes, or nobody can answer."""
    if not yes:
        click.confirm(question, abort=True, err=True)
