"""A group of commands that imports only the command it is to run.

`statefun run` needs a part of what all commands need together: with all of it, it started 80 ms later.
"""

import gc
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class Commands(click.Group):
    """Commands by name, each the attribute of its name (`dead_letters` for dead-letters) in a module of its own."""

    def __init__(self, *args: Any, modules: Mapping[str, str], **kwargs: Any) -> None:
        """Args: `modules` says by the name of a command in which module it is; the rest is as for any group."""
        super().__init__(*args, **kwargs)
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        module = self._modules.get(cmd_name)
        if module is None:
            return None
        _import(module)
        found: object = getattr(sys.modules[module], cmd_name.replace("-", "_"))
        if not isinstance(found, click.Command):
            raise TypeError(f"{module} has no command {cmd_name}, but {found!r}")
        return found


def _import(module: str) -> None:
    """Import a module without collections of garbage: they take 100 ms of a start, and there is none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        import_module(module)
    finally:
        if collects:
            gc.enable()
