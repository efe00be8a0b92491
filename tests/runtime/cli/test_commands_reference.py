"""The reference of the commands says what the commands say."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from statefun_runtime.cli.failure import ExitCode
from statefun_runtime.cli.main import main
from tests.runtime.cli.command_tree import commands_of

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "commands.md"


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, inner in commands_of(command).items():
            yield from commands(inner, f"{path} {name}")


ALL = dict(commands(main, "statefun"))


def sections() -> dict[str, str]:
    """The text under each heading that names a command."""
    parts = re.split(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {heading.strip("`"): text for heading, text in zip(parts[1::2], parts[2::2], strict=True)}


def test_the_commands_of_the_reference_are_those_there_are() -> None:
    headings = re.findall(r"^## `(statefun.*)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(ALL)


@pytest.mark.parametrize("path", ALL)
def test_the_options_of_the_reference_are_those_of_the_command(path: str) -> None:
    options = [option for option in ALL[path].params if isinstance(option, click.Option)]
    rows = re.findall(r"^\| (`--.*?) \| (.*?) \|$", sections()[path], re.MULTILINE)
    assert rows == [
        (", ".join(f"`{name}`" for name in option.opts), (option.help or "").partition("  [")[0]) for option in options
    ]
    assert all(text for _, text in rows)


def test_every_exit_code_is_documented() -> None:
    documented = set(re.findall(r"^\| (\d+)", sections()["Exit codes"], re.MULTILINE))
    assert {str(int(code)) for code in ExitCode} <= documented
