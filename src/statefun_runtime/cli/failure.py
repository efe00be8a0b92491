"""How a command fails: an exit code by who must act, one clear message, a traceback only with `--debug`."""

import traceback
from enum import IntEnum
from typing import Any

import click

from statefun_runtime.errors import DamagedError, DiskError, StatefunRuntimeError, StoreLockedError
from statefun_runtime.flink.rest import NoAnswerError
from statefun_runtime.masking import NO_SECRETS, Secrets


class ExitCode(IntEnum):
    """What a command's exit code means. click itself answers wrong usage with 2; 128 + n is the end by signal n."""

    OK = 0
    FAILED = 1
    """Something is wrong, and the text on stderr says what."""
    USAGE = 2
    LOCKED = 3
    """Another process owns the data directory."""
    UNREACHABLE = 4
    """Nobody answers at the given address."""
    DISK = 5
    """The disk does not take or give data: it is full, read-only or broken."""
    DAMAGED = 6
    """The data directory is damaged; starting again does not help."""


_CODES: tuple[tuple[type[StatefunRuntimeError], ExitCode], ...] = (
    (StoreLockedError, ExitCode.LOCKED),
    (DiskError, ExitCode.DISK),
    (DamagedError, ExitCode.DAMAGED),
    (NoAnswerError, ExitCode.UNREACHABLE),
)


def code_of(error: StatefunRuntimeError) -> ExitCode:
    """The exit code of a command that ends with this error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.FAILED)


class CommandError(click.ClickException):
    """Ends a command with a message for its user."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = exit_code

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        return int(self.code)


class Command(click.Command):
    """A command that tells the runtime's errors as messages, and takes `--debug`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--debug"], is_flag=True, expose_value=False, callback=_remember, help="Show tracebacks of errors."
            )
        )

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StatefunRuntimeError as error:
            if ctx.meta[_DEBUG]:
                _show_traceback(error, ctx)
            raise CommandError(_secrets(ctx).mask(str(error)), code_of(error)) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # A defect, as without this; but Python would show what must not be shown.
            _show_traceback(error, ctx)
            raise click.exceptions.Exit(ExitCode.FAILED) from error


def _secrets(ctx: click.Context) -> Secrets:
    found: Secrets = ctx.meta.get(_SECRETS, NO_SECRETS)
    return found


def _show_traceback(error: Exception, ctx: click.Context) -> None:
    click.echo(_secrets(ctx).mask("".join(traceback.format_exception(error))), err=True, nl=False)


def keep_secret(secrets: Secrets) -> None:
    """Keep these values out of what the command under way tells of its failure."""
    click.get_current_context().meta[_SECRETS] = secrets


_DEBUG = "statefun.debug"
_SECRETS = "statefun.secrets"


def _remember(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001  # click's callback
    ctx.meta[_DEBUG] = value
