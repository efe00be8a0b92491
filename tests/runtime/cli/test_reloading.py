"""Which files `statefun run --reload` looks at."""

import os
from pathlib import Path

from click.testing import CliRunner

from statefun_runtime.cli.main import main
from statefun_runtime.cli.reloading import python_files


def write(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return str(file)


def test_python_files_are_looked_at_also_in_packages_but_not_those_of_tools_and_environments(tmp_path: Path) -> None:
    looked_at = {write(tmp_path / "app.py"), write(tmp_path / "shop" / "orders.py")}
    write(tmp_path / "notes.txt")
    write(tmp_path / ".git" / "hook.py")
    write(tmp_path / "shop" / "__pycache__" / "orders.py")
    write(tmp_path / "node_modules" / "gyp.py")
    write(tmp_path / "env" / "pyvenv.cfg")
    write(tmp_path / "env" / "lib" / "library.py")
    assert set(python_files(tmp_path)) == looked_at


def test_a_file_that_was_written_removed_or_made_is_seen(tmp_path: Path) -> None:
    file = Path(write(tmp_path / "app.py"))
    before = python_files(tmp_path)
    os.utime(file, ns=(1, 1))
    written = python_files(tmp_path)
    write(tmp_path / "other.py")
    made = python_files(tmp_path)
    file.unlink()
    assert len({str(before), str(written), str(made), str(python_files(tmp_path))}) == 4


def test_reloading_needs_functions_that_the_command_hosts(cli: CliRunner) -> None:
    result = cli.invoke(main, ["run", "module.yaml", "--reload"])
    assert result.exit_code == 2
    assert "--reload needs functions that this command hosts" in result.output
