"""The option of all commands that read a data directory."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from statefun_runtime.config import find_config_file, load_config

F = TypeVar("F", bound=Callable[..., Any])


def data_option(command: F) -> F:
    """Add `--data`; the command gets the path as `data`. Without it the settings say where the data is."""
    return _option("--data", "The data directory of a runtime; by default where `statefun run` here would keep it.")(
        command
    )


def source_option(command: F) -> F:
    """Add `--from`, for commands whose `--data` names a directory to be made; else as `data_option`."""
    return _option("--from", "The data directory of a savepoint; by default where `statefun run` here would keep it.")(
        command
    )


def _option(name: str, text: str) -> Callable[[F], F]:
    return click.option(
        name, "data", type=click.Path(path_type=Path, file_okay=False), callback=_from_settings, help=text
    )


def _from_settings(
    ctx: click.Context,  # noqa: ARG001  # click's callback
    parameter: click.Parameter,  # noqa: ARG001
    value: Path | None,
) -> Path:
    return value if value is not None else load_config(find_config_file(Path.cwd()), os.environ).data_dir
