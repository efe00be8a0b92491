"""`statefun run`: an application in one process, until a signal stops it."""

import logging
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import click

from statefun import StatefulFunctions
from statefun_runtime.cli import process, worker
from statefun_runtime.cli.application import idle_policies, playground_module, read_modules, unserved_targets
from statefun_runtime.cli.banner import Part, banner, parts
from statefun_runtime.cli.failure import Command, keep_secret
from statefun_runtime.cli.loading import is_reference, load_functions
from statefun_runtime.cli.reloading import reloading
from statefun_runtime.cli.setting_flags import config_from, setting_flags
from statefun_runtime.cli.stopping import stop_on_signals
from statefun_runtime.config import RuntimeConfig
from statefun_runtime.endpoint.hosted import Hosted
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.endpoint.workers import Workers
from statefun_runtime.logs import configure_logging
from statefun_runtime.masking import Secrets
from statefun_runtime.module.loader import LoadResult
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
@click.option("--reload", is_flag=True, help="Host the functions in a worker that is replaced when a file changes.")
@setting_flags
def run(what: tuple[str, ...], functions: str | None, reload: bool, **flags: Any) -> None:
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
      statefun run app:functions --reload
      statefun run module.yaml local.yaml --functions app:functions --data /var/lib/shop
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    arguments = _arguments(what, functions)
    config = config_from(flags)
    if reload:
        if arguments.functions is None:
            raise click.UsageError("--reload needs functions that this command hosts, such as app:functions")
        config = config.model_copy(update={"workers": config.workers or 1})
    configure_logging(config.log_level, config.log_format)
    result = read_modules(arguments.files) if arguments.files else LoadResult(playground_module(config))
    module = result.require()
    keep_secret(module.secrets)
    configure_logging(config.log_level, config.log_format, secrets=module.secrets)
    for problem in result.warnings:
        _log.warning("%s", problem)
    hosted = _hosted(arguments.functions, config)
    process.tune()
    process.run(_run(module, hosted, config, reload=reload))


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


def _hosted(reference: str | None, config: RuntimeConfig) -> Hosted:
    if reference is None:
        return InProcessEndpoint(StatefulFunctions(), config.call_timeout / 1000)
    if config.workers:
        command = worker.command(reference, config.log_level, config.log_format)
        return Workers(command, config.workers, config.call_timeout)
    return InProcessEndpoint(load_functions(reference), config.call_timeout / 1000)


def _announce(shown: Sequence[Part], secrets: Secrets) -> None:
    if sys.stdout.isatty():
        click.echo(f"{secrets.mask(banner(shown))}\nCtrl-C stops.")
        return
    for what, name, where in shown:
        _log.info("%s %s", what, name, extra={"where": where})


async def _run(module: Module, hosted: Hosted, config: RuntimeConfig, *, reload: bool) -> None:
    with stop_on_signals(_STUCK_SECONDS + config.stop_timeout / 1000) as stop:
        await hosted.start()
        try:
            served = hosted.functions
            for problem in (*unserved_targets(module, served), *idle_policies(config, module, served)):
                _log.warning("%s", problem)
            _announce(parts(module, hosted, config), module.secrets)
            async with _followed(Runtime(module, hosted, config), hosted, reload=reload) as runtime:
                await runtime.run(stop)
        finally:
            await hosted.stop()


@asynccontextmanager
async def _followed(runtime: Runtime, hosted: Hosted, *, reload: bool) -> AsyncGenerator[Runtime]:
    """Let a runtime hear of what becomes of its workers, if it has any."""
    if not isinstance(hosted, Workers):
        yield runtime
        return
    hosted.when_changed = runtime.functions_changed
    async with reloading(hosted, Path.cwd()) if reload else nullcontext():
        yield runtime
