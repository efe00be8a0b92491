"""`--checkpoint-interval`, which the commands that start or describe a job have in common."""

from collections.abc import Callable
from typing import Any

import click

from statefun_runtime.units import parse_duration


def checkpoint_interval_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option, read as milliseconds."""
    return click.option(
        "--checkpoint-interval", default=default, show_default=True, callback=_milliseconds, help="Between two of them."
    )


def _milliseconds(context: click.Context, parameter: click.Parameter, value: str) -> int:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error
