"""`statefun run`: an application in one process, until a signal stops it."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from statefun import StatefulFunctions
from statefun_runtime.cli import process
from statefun_runtime.cli.application import idle_policies, playground_module, read_modules, unserved_targets
from statefun_runtime.cli.banner import Part, banner, parts
from statefun_runtime.cli.failure import Command, keep_secret
from statefun_runtime.cli.loading import is_reference, load_functions
from statefun_runtime.cli.setting_flags import config_from, setting_flags
from statefun_runtime.cli.stopping import stop_on_signals
from statefun_runtime.config import RuntimeConfig
from statefun_runtime.logs import configure_logging
from statefun_runtime.masking import Secrets
from statefun_runtime.module.module import Module
from statefun_runtime.runtime import Runtime

_STUCK_SECONDS = 1.0
"""How long a stop waits, beyond `stop_timeout`, for an event loop that does not react."""

_log = logging.getLogger(__name__)


class Arguments(NamedTuple):
    """What to run: module files, or functions alone, or both."""

    files: tuple[Path, ...]
    functions: str | None


@click.command(cls=Command)
@click.argument("what", metavar="MODULE.yaml... | APP:FUNCTIONS", nargs=-1)
@click.option(
    "--functions", metavar="APP:FUNCTIONS", help="Functions that this process hosts; they win over endpoints."
)
@setting_flags
def run(what: tuple[str, ...], functions: str | None, **flags: Any) -> None:
    """Run an application until Ctrl-C.

    Give it module files (a later one may overlay documents of the earlier ones), or app:functions alone: then messages
    come in over HTTP on port 8090 and records for io.statefun.playground/egress go out on port 8091.

    The first Ctrl-C (or SIGTERM) finishes what is under way, commits and stops; the second one stops at once. Nothing
    durable is lost either way.

    Each setting has a flag, an environment variable (STATEFUN_MAX_BATCH for --max-batch) and a line in the config file
    (max_batch under [runtime]); a flag wins over the environment, which wins over the file.

    \b
    Examples:
      statefun run app:functions
      statefun run module.yaml local.yaml --functions app:functions --data /var/lib/shop
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    arguments = _arguments(what, functions)
    config = config_from(flags)
    configure_logging(config.log_level, config.log_format)
    hosted = load_functions(arguments.functions) if arguments.functions else None
    module = _module(arguments.files, hosted, config)
    keep_secret(module.secrets)
    configure_logging(config.log_level, config.log_format, secrets=module.secrets)
    for problem in idle_policies(config, module, hosted or StatefulFunctions()):
        _log.warning("%s", problem)
    _announce(parts(module, hosted, config), module.secrets)
    process.tune()
    process.run(_run(Runtime(module, hosted, config), _STUCK_SECONDS + config.stop_timeout / 1000))


def _arguments(what: tuple[str, ...], functions: str | None) -> Arguments:
    named = [text for text in what if is_reference(text)]
    if functions is not None:
        named.append(functions)
    if len(named) > 1:
        raise click.UsageError(f"functions are given more than once: {', '.join(named)}")
    files = tuple(Path(text) for text in what if not is_reference(text))
    if not files and not named:
        hint = "; there is a module.yaml here: statefun run module.yaml" if Path("module.yaml").exists() else ""
        raise click.UsageError(f"say what to run: module files, or functions such as app:functions{hint}")
    return Arguments(files, named[0] if named else None)


def _module(files: tuple[Path, ...], hosted: StatefulFunctions | None, config: RuntimeConfig) -> Module:
    if not files:
        return playground_module(config)
    result = read_modules(files)
    module = result.require()
    for problem in (*result.warnings, *unserved_targets(module, hosted or StatefulFunctions())):
        _log.warning("%s", problem)
    return module


def _announce(shown: Sequence[Part], secrets: Secrets) -> None:
    if sys.stdout.isatty():
        click.echo(f"{secrets.mask(banner(shown))}\nCtrl-C stops.")
        return
    for what, name, where in shown:
        _log.info("%s %s", what, name, extra={"where": where})


async def _run(runtime: Runtime, patience: float) -> None:
    with stop_on_signals(patience) as stop:
        await runtime.run(stop)
