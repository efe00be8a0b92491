"""The container file and the unit use what the command knows."""

import re
import shlex
from configparser import ConfigParser
from pathlib import Path

from statefun_runtime.cli.main import main
from statefun_runtime.cli.run import run
from statefun_runtime.config import load_config, settings
from tests.runtime.cli.command_tree import commands_of

ROOT = Path(__file__).resolve().parents[3]


def unit() -> dict[str, str]:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "deploy" / "statefun.service")
    return dict(parser["Service"])


def test_the_units_command_is_one_that_the_command_takes() -> None:
    program, command, *arguments = shlex.split(unit()["ExecStart"])
    assert Path(program).name == "statefun"
    assert commands_of(main)[command] is run
    assert run.make_context("run", arguments).params["functions"] == "app:functions"


def test_the_units_environment_is_settings() -> None:
    given = dict(pair.split("=", 1) for pair in shlex.split(unit()["Environment"]))
    assert given.keys() <= {setting.environment for setting in settings()}
    assert load_config(environment=given).log_format == "json"


def test_the_unit_gives_a_stop_more_time_than_the_runtime_takes() -> None:
    assert int(unit()["TimeoutStopSec"]) * 1000 > load_config().stop_timeout


def test_the_images_environment_is_settings() -> None:
    text = (ROOT / "Containerfile").read_text()
    given = dict(re.findall(r"(STATEFUN_\w+)=(\S+)", text))
    assert given.keys() <= {setting.environment for setting in settings()}
    config = load_config(environment=given)
    assert (str(config.data_dir), config.http_host, config.log_format) == ("/data", "0.0.0.0", "json")


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (\S+)", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    assert users == ["statefun"]
