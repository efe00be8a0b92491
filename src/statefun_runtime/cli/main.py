"""The command `statefun`."""

from types import MappingProxyType

import click

from statefun.version import __version__
from statefun_runtime.cli.commands import Commands

_MODULES = MappingProxyType(
    {
        "run": "statefun_runtime.cli.run",
        "send": "statefun_runtime.cli.send",
        "check": "statefun_runtime.cli.check",
        "init": "statefun_runtime.cli.init",
        "serve": "statefun_runtime.cli.serve",
        "conformance": "statefun_runtime.cli.conformance",
        "drain": "statefun_runtime.cli.drain",
        "savepoint": "statefun_runtime.cli.savepoint",
        "state": "statefun_runtime.cli.state",
        "mailbox": "statefun_runtime.cli.mailbox",
        "delayed": "statefun_runtime.cli.delayed",
        "parked": "statefun_runtime.cli.parked",
        "dead-letters": "statefun_runtime.cli.dead_letters",
        "journal": "statefun_runtime.cli.journal",
        "flink": "statefun_runtime.cli.flink.group",
    }
)


@click.group(
    cls=Commands,
    modules=_MODULES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, package_name="statefun", message="%(prog)s %(version)s")
def main() -> None:
    """Stateful Functions: addressable functions with durable state and exactly-once messages.

    \b
    Begin here:
      statefun init shop && cd shop
      statefun run module.yaml --functions app:functions
      statefun send shop/greeter/ada '{"greeting": "Hello"}' --type shop/Greet

    `statefun COMMAND --help` shows an example of each command. Exit codes: 0 success, 1 a failure or a problem that was
    found, 2 wrong usage, 3 the data directory belongs to another process, 4 nobody answers at the address, 5 the
    disk does not take or give data, 6 the data directory is damaged.
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
