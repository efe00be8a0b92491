"""The command `statefun`."""

import click

from statefun.version import __version__
from statefun_runtime.cli.check import check
from statefun_runtime.cli.conformance import conformance
from statefun_runtime.cli.dead_letters import dead_letters
from statefun_runtime.cli.delayed import delayed
from statefun_runtime.cli.drain import drain
from statefun_runtime.cli.flink.group import flink
from statefun_runtime.cli.init import init
from statefun_runtime.cli.journal import journal
from statefun_runtime.cli.mailbox import mailbox
from statefun_runtime.cli.parked import parked
from statefun_runtime.cli.run import run
from statefun_runtime.cli.savepoint import savepoint
from statefun_runtime.cli.send import send
from statefun_runtime.cli.serve import serve
from statefun_runtime.cli.state import state


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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


_COMMANDS = (
    run,
    send,
    check,
    init,
    serve,
    conformance,
    drain,
    savepoint,
    state,
    mailbox,
    delayed,
    parked,
    dead_letters,
    journal,
    flink,
)
for _command in _COMMANDS:
    main.add_command(_command)
