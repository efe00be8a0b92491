from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from statefun_runtime.cli.main import main
from statefun_runtime.cli.project import check_name, project_files

FILES = {".gitignore", "README.md", "app.py", "module.yaml", "pyproject.toml", "test_app.py"}


def test_a_project_has_all_its_files(cli: CliRunner, directory: Path) -> None:
    result = cli.invoke(main, ["init", "web-shop"])
    assert result.exit_code == 0, result.output
    assert {path.name for path in (directory / "web-shop").iterdir()} == FILES
    assert "cd web-shop" in result.output
    assert "statefun run module.yaml --functions app:functions" in result.output


def test_the_name_stands_in_the_files_and_no_placeholder_is_left() -> None:
    texts = dict(project_files("shop"))
    assert 'bind("shop/greeter"' in texts["app.py"]
    assert list(yaml.safe_load_all(texts["module.yaml"]))[2]["spec"]["functions"] == "shop/*"
    assert [name for name, text in texts.items() if "$name" in text or "$title" in text] == []


def test_the_module_file_has_no_problems(cli: CliRunner, directory: Path) -> None:
    cli.invoke(main, ["init", "shop"])
    result = cli.invoke(main, ["check", "shop/module.yaml", "--strict"])
    assert (result.exit_code, result.output) == (0, "1 file: no problems\n")


def test_a_directory_with_something_in_it_is_refused_and_left_alone(cli: CliRunner, directory: Path) -> None:
    (directory / "shop").mkdir()
    (directory / "shop" / "precious").touch()
    result = cli.invoke(main, ["init", "shop"])
    assert result.exit_code == 1
    assert "shop is not empty" in result.output
    assert [path.name for path in (directory / "shop").iterdir()] == ["precious"]


def test_an_empty_directory_is_filled(cli: CliRunner, directory: Path) -> None:
    (directory / "shop").mkdir()
    assert cli.invoke(main, ["init", "shop"]).exit_code == 0


def test_a_file_in_the_place_of_the_directory_is_refused(cli: CliRunner, directory: Path) -> None:
    (directory / "shop").touch()
    assert cli.invoke(main, ["init", "shop"]).exit_code == 2


@pytest.mark.parametrize("name", ["Shop", "9shop", "shop!", "sh op", "-shop", "shop-"])
def test_a_name_that_cannot_be_a_namespace_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a project"):
        check_name(name)
