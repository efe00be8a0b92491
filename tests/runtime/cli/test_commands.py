import gc
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from statefun_runtime.cli.commands import Commands

IMPORTED = """
import sys
from statefun_runtime.cli.main import main
main(["init", "--help"], standalone_mode=False)
print(*(name for name in sys.modules if name.startswith("statefun_runtime.cli.")))
"""


def test_a_command_imports_no_other_command() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert "statefun_runtime.cli.init" in imported
    assert not imported & {"statefun_runtime.cli.run", "statefun_runtime.cli.conformance", "statefun_runtime.cli.check"}


def test_a_name_that_is_in_no_module_is_wrong_usage(cli: CliRunner) -> None:
    result = cli.invoke(Commands(modules={"init": "statefun_runtime.cli.init"}), ["imit"])
    assert result.exit_code == 2
    assert "imit" in result.output


def test_a_module_without_its_command_is_an_error() -> None:
    group = Commands(modules={"text": "statefun_runtime.units"})
    with pytest.raises(AttributeError):
        group.get_command(click.Context(group), "text")


def test_an_import_leaves_the_collection_of_garbage_as_it_was() -> None:
    group = Commands(modules={"init": "statefun_runtime.cli.init"})
    group.get_command(click.Context(group), "init")
    assert gc.isenabled()
