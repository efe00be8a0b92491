"""`statefun conformance`: what it prints, and its exit codes."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from conformance.python.server import make_functions
from statefun import RequestReplyHandler, StatefulFunctions
from statefun_runtime.cli.main import main
from statefun_runtime.endpoint.listener import ListenAddress
from statefun_runtime.endpoint.server import FunctionServer


@contextmanager
def serving(functions: StatefulFunctions) -> Iterator[str]:
    """A function server in a thread of its own; its URL."""
    loop = asyncio.new_event_loop()
    server = FunctionServer(RequestReplyHandler(functions), ListenAddress(port=0))
    loop.run_until_complete(server.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/statefun"
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(0), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_server_that_keeps_the_protocol_passes(cli: CliRunner) -> None:
    with serving(make_functions("conformance/instance")) as url:
        result = cli.invoke(main, ["conformance", url, "--trees", "10", "--without", "bool"])
    assert result.exit_code == 0, result.output
    assert "10 trees, " in result.stdout
    assert result.stdout.endswith(" records: all as they must be\n")


def test_the_first_tree_that_fails_is_told_with_the_command_that_repeats_it(cli: CliRunner) -> None:
    with serving(make_functions("another/instance")) as url:
        result = cli.invoke(main, ["conformance", url, "--seed", "5", "--first", "3", "--without", "long"])
    assert result.exit_code == 1
    assert "tree 3 of seed 5 was not done right" in result.stderr
    assert "there is no function conformance/instance" in result.stderr
    again = f"statefun conformance {url} --function conformance/instance --without long --seed 5 --first 3 --trees 1\n"
    assert result.stderr.endswith(f"Again: {again}")


def test_nobody_at_the_address_is_exit_code_4(cli: CliRunner) -> None:
    with serving(make_functions("conformance/instance")) as url:
        pass
    result = cli.invoke(main, ["conformance", url])
    assert result.exit_code == 4
    assert "cannot connect" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["ftp://127.0.0.1/"], "ftp"),
        (["http://127.0.0.1:1/", "--function", "instance"], "instance"),
        (["http://127.0.0.1:1/", "--without", "short"], "short"),
        (
            ["http://127.0.0.1:1/"]
            + [
                part
                for state in ["bool", "int", "long", "float", "double", "string", "json"]
                for part in ("--without", state)
            ],
            "without any state",
        ),
    ],
)
def test_wrong_usage_is_exit_code_2(cli: CliRunner, arguments: list[str], text: str) -> None:
    result = cli.invoke(main, ["conformance", *arguments])
    assert result.exit_code == 2
    assert text in result.stderr
