"""`statefun serve`: functions as an HTTP endpoint, for this runtime or for Apache Flink."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from statefun_runtime.cli import process
from statefun_runtime.cli.failure import Command
from statefun_runtime.cli.loading import load_functions
from statefun_runtime.cli.stopping import stop_on_signals
from statefun_runtime.endpoint.listener import ListenAddress
from statefun_runtime.endpoint.server import FunctionServer
from statefun_runtime.logs import configure_logging

_log = logging.getLogger(__name__)


@click.command(cls=Command)
@click.argument("functions", metavar="APP:FUNCTIONS")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--unix", type=click.Path(path_type=Path), metavar="PATH", help="Listen on a unix socket instead.")
@click.option(
    "--fd", type=click.IntRange(min=0), help="Accept from this inherited socket instead; several processes may."
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="Least severe record logged.",
)
def serve(functions: str, log_level: str, **address: Any) -> None:
    """Serve functions over HTTP until Ctrl-C.

    Every path takes requests of the StateFun protocol by POST; GET /healthz answers 200. The first Ctrl-C (or SIGTERM)
    finishes the requests under way, the second one stops at once.

    \b
    Examples:
      statefun serve app:functions
      statefun serve app:functions --unix /run/shop.sock
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    configure_logging(log_level)
    hosted = load_functions(functions)
    unix: Path | None = address.pop("unix")
    listen = ListenAddress(path=unix, **address)
    server = FunctionServer(hosted.as_handler(), listen)
    process.tune()
    process.run(_serve(server, lambda: f"unix socket {unix}" if unix else f"http://{listen.host}:{server.port}/"))
    _log.info("stopped")


async def _serve(server: FunctionServer, place: Callable[[], str]) -> None:
    with stop_on_signals() as stop:
        await server.start()
        _log.info("serving functions at %s", place())
        try:
            await stop.wait()
        finally:
            await server.stop()
