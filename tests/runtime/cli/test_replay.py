"""`debug`: the function runs here on what it failed at, its effects are printed, and nothing is applied."""

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from statefun_runtime.cli.main import main
from statefun_runtime.inspection import read_dead_letters, read_mailbox, read_parked, read_values_of
from tests.e2e.command import STATEFUN

from . import parked_data
from .parked_data import BOB, EVE


@pytest.fixture
def data(directory: Path) -> Path:
    """A stopped data directory, where the settings expect it, and the application beside it."""
    (directory / "replayed.py").write_text(parked_data.APPLICATION)
    return parked_data.write(directory / "statefun-data")


def content(data: Path) -> object:
    """All that a replay could have changed."""
    addresses = (EVE, BOB, parked_data.ADA)
    mailboxes = [list(read_mailbox(data, address)) for address in addresses]
    values = [read_values_of(data, address) for address in addresses]
    return list(read_dead_letters(data)), list(read_parked(data)), mailboxes, values


def test_the_effects_of_a_dead_letter_are_printed_and_nothing_changes(cli: CliRunner, data: Path) -> None:
    before = content(data)
    result = cli.invoke(main, ["dead-letters", "debug", "4", "--functions", "replayed:functions"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        'message from shop/cart/eve: io.statefun.types/string  "bad"',
        "state seen: io.statefun.types/int  2",
        "state recent: -",
        "The function would:",
        "  send to shop/stock/socks: io.statefun.types/int  1",
        "  send in 2 min to shop/cart/ada, to be cancelled as 'again': io.statefun.types/string  \"again\"",
        "  cancel 'before'",
        '  give to shop/mail: shop/Record  {"to": "bad"}',
        "  set seen: io.statefun.types/int  3",
    ]
    assert content(data) == before


def test_a_parked_address_is_replayed_with_the_messages_of_the_failed_call(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["parked", "debug", "shop/cart/eve", "--functions", "replayed:functions"])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:3] == [
        'message from an ingress: io.statefun.types/string  "poison"',
        'message from shop/cart/ada: io.statefun.types/string  "fine"',
        "state seen: io.statefun.types/int  3",
    ]
    assert "replayed.py" in result.stderr, "the traceback shows the user's code"
    assert "Error: shop/cart fails: LookupError: no item poison" in result.stderr


def test_a_function_without_effects_says_so(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["parked", "debug", "shop/stock/bob", "--functions", "replayed:functions"])
    assert result.output.splitlines()[-1] == "It has no effects."


def with_debugger(directory: Path, *arguments: str, typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [STATEFUN, *arguments, "--functions", "replayed:functions", "--pdb"],
        cwd=directory,
        input=typed,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.slow
def test_the_debugger_stops_in_the_function(data: Path) -> None:
    typed = "p 'text is ' + str(message.as_string())\nc\n"
    result = with_debugger(data.parent, "dead-letters", "debug", "4", typed=typed)
    assert result.returncode == 0, result.stderr
    assert "'text is bad'" in result.stdout
    assert "  set seen: io.statefun.types/int  3" in result.stdout


@pytest.mark.slow
def test_leaving_the_debugger_is_exit_code_1(data: Path) -> None:
    result = with_debugger(data.parent, "parked", "debug", "shop/stock/bob", typed="q\n")
    assert (result.returncode, result.stderr) == (1, "Error: the debugger was left before the function was done\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["dead-letters", "debug", "5"], "dead letter 5 is an egress record; no function takes it"),
        (["dead-letters", "debug", "6"], "there is no dead letter 6"),
        (["parked", "debug", "shop/cart/ada"], "shop/cart/ada is not parked"),
    ],
)
def test_what_cannot_be_replayed_is_exit_code_1(cli: CliRunner, data: Path, arguments: list[str], reason: str) -> None:
    result = cli.invoke(main, [*arguments, "--functions", "replayed:functions"])
    assert (result.exit_code, result.stderr) == (1, f"Error: {reason}\n")


def test_functions_that_do_not_have_the_type_are_named(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["parked", "debug", "shop/stock/bob", "--functions", "replayed:others"])
    assert "replayed:others: there is no function shop/stock; registered are: shop/cart" in result.stderr


def test_an_object_that_is_called_needs_a_breakpoint_of_its_own(cli: CliRunner, data: Path) -> None:
    result = cli.invoke(main, ["dead-letters", "debug", "4", "--functions", "replayed:others", "--pdb"])
    assert result.exit_code == 1
    assert "put breakpoint() into it" in result.stderr
