"""A flag for each setting of the runtime, made from the settings themselves."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from statefun_runtime.config import RuntimeConfig, Setting, find_config_file, load_config, settings

F = TypeVar("F", bound=Callable[..., Any])

_SHORT = {"data_dir": ("--data",)}
"""More names for flags that are typed often."""
_METAVARS = {"ms": "DURATION", "bytes": "SIZE"}


def setting_flags(command: F) -> F:
    """Add `--config`, `--admin` and a flag for each setting to a command, which gets them as keywords."""
    for setting in reversed(settings()):
        command = _flag(setting)(command)
    command = click.option(
        "--admin", metavar="HOST:PORT", help="Both of --admin-host and --admin-port.", callback=_host_and_port
    )(command)
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The config file; statefun.toml of the working directory by default.",
    )(command)


def config_from(flags: Mapping[str, Any]) -> RuntimeConfig:
    """The settings, from the options that `setting_flags` added.

    Raises:
        ConfigError: Settings are wrong.
    """
    given = dict(flags)
    file: Path | None = given.pop("config") or find_config_file(Path.cwd())
    admin: tuple[str, str] | None = given.pop("admin")
    if admin is not None:
        given["admin_host"], given["admin_port"] = admin
    return load_config(file, os.environ, given)


def _flag(setting: Setting) -> Callable[[F], F]:
    return click.option(
        *_SHORT.get(setting.name, ()),
        setting.flag,
        setting.name,
        metavar=_METAVARS.get(setting.unit, "VALUE"),
        help=f"{setting.description}  [{setting.default}]",
    )


def _host_and_port(
    ctx: click.Context,  # noqa: ARG001  # click's callback
    parameter: click.Parameter,  # noqa: ARG001
    value: str | None,
) -> tuple[str, str] | None:
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not host:
        raise click.BadParameter("write HOST:PORT, such as 127.0.0.1:8089")
    return host.strip("[]"), port
