"""How commands fail: what must not be shown is in no text that they end with."""

import click
import pytest
from click.testing import CliRunner

from statefun_runtime.cli.failure import Command, ExitCode, keep_secret
from statefun_runtime.errors import ModuleError
from statefun_runtime.masking import Secrets

SECRET = "hunter2"


@click.command(cls=Command)
@click.argument("kind")
def failing(kind: str) -> None:
    secret = "".join(reversed("2retnuh"))
    keep_secret(Secrets([secret]))
    if kind == "defect":
        raise KeyError(secret)
    if kind == "exit":
        raise click.exceptions.Exit(5)
    raise ModuleError(f"{secret} is refused")


def test_an_error_is_one_line_without_secrets(cli: CliRunner) -> None:
    result = cli.invoke(failing, ["error"])
    assert (result.exit_code, result.output) == (ExitCode.FAILED, "Error: *** is refused\n")


@pytest.mark.parametrize("arguments", [["error", "--debug"], ["defect"]])
def test_a_traceback_is_without_secrets(cli: CliRunner, arguments: list[str]) -> None:
    result = cli.invoke(failing, arguments)
    assert result.exit_code == ExitCode.FAILED
    assert "Traceback (most recent call last):" in result.output
    assert "***" in result.output
    assert SECRET not in result.output


def test_an_exit_code_that_a_command_chose_stays(cli: CliRunner) -> None:
    assert cli.invoke(failing, ["exit"]).exit_code == 5
