"""`--cache` and `--mirror`: where Flink's archives are kept and come from."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from statefun_runtime.flink.maven import Cache

CommandFunction = Callable[..., None]


def cache_options(command: CommandFunction) -> CommandFunction:
    """Add `--cache` and `--mirror`; the command gets them as `cache`."""

    @wraps(command)
    def with_cache(*, cache_dir: Path | None, mirror: str | None, **rest: Any) -> None:
        command(cache=Cache(cache_dir or default_cache(), click.echo, mirror), **rest)

    option = click.option("--mirror", metavar="URL", help="A Maven repository to ask in place of Maven Central.")
    return click.option(
        "--cache",
        "cache_dir",
        type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
        help="Where Flink's archives are kept; ~/.cache/statefun/flink by default ($XDG_CACHE_HOME).",
    )(option(with_cache))


def default_cache() -> Path:
    """Where archives are kept unless `--cache` says otherwise."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "statefun" / "flink"
