"""`statefun flink`: the same application on Apache Flink Stateful Functions."""

import click

from statefun_runtime.cli.flink.check import check
from statefun_runtime.cli.flink.deploy import deploy
from statefun_runtime.cli.flink.local import local
from statefun_runtime.cli.flink.savepoint import savepoint
from statefun_runtime.cli.flink.state import export, import_
from statefun_runtime.cli.flink.status import status
from statefun_runtime.cli.flink.stop import stop


@click.group()
def flink() -> None:
    """Run the same application on Apache Flink Stateful Functions.

    The functions and module.yaml stay as they are. Needs the extra `flink`: pip install "statefun[runtime,flink]".

    \b
    Example:
      statefun flink check module.yaml --functions app:functions
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines


_COMMANDS: tuple[click.Command, ...] = (local, check, deploy, status, savepoint, stop, export, import_)
for _command in _COMMANDS:
    flink.add_command(_command)
