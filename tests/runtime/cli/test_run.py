from pathlib import Path

import pytest
from click.testing import CliRunner

from statefun import StatefulFunctions
from statefun_runtime.cli.application import playground_module
from statefun_runtime.cli.banner import banner, parts
from statefun_runtime.cli.main import main
from statefun_runtime.cli.run import run
from statefun_runtime.cli.setting_flags import config_from
from statefun_runtime.config import RuntimeConfig, load_config, settings
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from tests.runtime.cli.command_tree import commands_of


def test_nothing_to_run_is_wrong_usage(cli: CliRunner, directory: Path) -> None:
    result = cli.invoke(main, ["run"])
    assert result.exit_code == 2
    assert "say what to run" in result.output
    assert "there is a module.yaml" not in result.output


def test_nothing_to_run_beside_a_module_file_says_how_to_run_it(cli: CliRunner, directory: Path) -> None:
    (directory / "module.yaml").touch()
    assert "statefun run module.yaml" in cli.invoke(main, ["run"]).output


def test_functions_given_twice_are_wrong_usage(cli: CliRunner, directory: Path) -> None:
    result = cli.invoke(main, ["run", "app:functions", "--functions", "other:functions"])
    assert result.exit_code == 2
    assert "app:functions, other:functions" in result.output


def test_a_wrong_module_file_is_told_in_full_before_anything_starts(cli: CliRunner, directory: Path) -> None:
    (directory / "module.yaml").write_text("kind: a/b\nspec: {}\n---\nkind: c/d\nspec: {}\n")
    result = cli.invoke(main, ["run", "module.yaml"])
    assert result.exit_code == 1
    assert result.output.count("module.yaml:") == 2
    assert not (directory / "statefun-data").exists()


def test_all_wrong_settings_are_told_at_once(cli: CliRunner, directory: Path) -> None:
    result = cli.invoke(
        main, ["run", "app:functions", "--admin", "127.0.0.1:99999"], env={"STATEFUN_MAX_BATCH": "many"}
    )
    assert result.exit_code == 1
    assert "--admin-port" in result.output
    assert "STATEFUN_MAX_BATCH" in result.output


def test_every_setting_has_a_flag() -> None:
    flags = {option for parameter in run.params for option in parameter.opts}
    assert {setting.flag for setting in settings()} <= flags


def parsed(*arguments: str) -> RuntimeConfig:
    flags = dict(run.make_context("run", ["app:functions", *arguments]).params)
    del flags["what"], flags["functions"], flags["reload"]
    return config_from(flags)


def test_flags_are_settings(directory: Path) -> None:
    config = parsed("--data", "d", "--admin", "[::1]:0", "--commit-interval", "5 ms")
    assert config == load_config(flags={"data_dir": "d", "admin_host": "::1", "admin_port": 0, "commit_interval": 5})


def test_the_config_file_of_the_working_directory_is_read(directory: Path) -> None:
    (directory / "statefun.toml").write_text("[runtime]\nmax_batch = 7\nhttp_port = 1\n")
    config = parsed("--http-port", "2")
    assert (config.max_batch, config.http_port) == (7, 2)


def test_a_config_file_that_is_named_wins_over_the_one_of_the_directory(directory: Path) -> None:
    (directory / "statefun.toml").write_text("[runtime]\nmax_batch = 7\n")
    (directory / "other.toml").write_text("[runtime]\nmax_batch = 8\n")
    assert parsed("--config", "other.toml").max_batch == 8


@pytest.mark.parametrize("text", ["8089", ":8089"])
def test_an_admin_address_without_a_host_is_wrong_usage(cli: CliRunner, text: str) -> None:
    assert cli.invoke(main, ["run", "app:functions", "--admin", text]).exit_code == 2


def greet(context: object, message: object) -> None:
    """Do nothing."""


def test_the_start_shows_what_runs_where() -> None:
    functions = StatefulFunctions()
    functions.register("demo/greeter", greet)
    functions.register("demo/counter", greet)
    config = load_config(flags={"http_port": 1, "http_egress_port": 2, "admin_port": 3})
    shown = banner(parts(playground_module(config), InProcessEndpoint(functions, 1), config)).splitlines()
    assert [line.split()[0] for line in shown] == ["function", "demo/counter", "ingress", "egress", "data", "admin"]
    assert "demo/greeter" in shown[0]
    assert "PUT http://127.0.0.1:1/<namespace>/<type>/<id>" in shown[2]
    assert "GET http://127.0.0.1:2/<topic>" in shown[3]
    assert "http://127.0.0.1:3" in shown[5]


def test_help_and_version_are_exit_code_0(cli: CliRunner) -> None:
    for arguments in (["--help"], ["--version"], *([name, "--help"] for name in commands_of(main))):
        assert cli.invoke(main, arguments).exit_code == 0


def test_every_command_shows_an_example(cli: CliRunner) -> None:
    for name, command in commands_of(main).items():
        inner = getattr(command, "commands", None)
        for arguments in [[name, sub] for sub in inner] if inner else [[name]]:
            shown = cli.invoke(main, [*arguments, "--help"]).output
            assert f"statefun {' '.join(arguments)}" in shown.partition("Example")[2], arguments
