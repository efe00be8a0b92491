import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from statefun_runtime.cli.main import main

GOOD = """\
kind: io.statefun.endpoints.v2/http
spec:
  functions: shop/*
  urlPathTemplate: http://functions:8000/
  transport: {type: io.statefun.transports.v1/async, call: 30s}
"""
LOCAL = GOOD.replace("functions:8000", "localhost:8000")
WRONG = """\
kind: io.statefun.playground.v1/ingress
---
kind: io.statefun.fancy.v1/ingress
spec: {}
---
kind: io.statefun.kafka.v1/ingress
spec:
  id: shop/orders
  address: &broker kafka:9092
  topics: [{topic: orders, valueType: shop/Order, targets: [shop/cart]}]
  properties:
    - client.id: *broker
"""
APP = """\
from statefun import Reject, StatefulFunctions
functions = StatefulFunctions()
@functions.bind("shop/cart")
def cart(context, message):
    raise Reject("closed")
"""


@pytest.fixture(autouse=True)
def files(directory: Path) -> None:
    for name, text in {"good": GOOD, "local": LOCAL, "wrong": WRONG}.items():
        (directory / f"{name}.yaml").write_text(text)
    (directory / "app.py").write_text(APP)


def test_no_difference_is_exit_code_0(cli: CliRunner) -> None:
    result = cli.invoke(main, ["flink", "check", "good.yaml"])
    assert (result.exit_code, result.output) == (0, "0 refused by Flink, 0 different there\n")


def test_a_difference_fails_only_when_strict(cli: CliRunner) -> None:
    result = cli.invoke(main, ["flink", "check", "local.yaml"])
    assert result.exit_code == 0
    assert result.stdout.startswith("local.yaml:4:20: different: spec.urlPathTemplate: ")
    assert cli.invoke(main, ["flink", "check", "local.yaml", "--strict"]).exit_code == 1


def test_all_that_is_refused_is_told_once_each_with_its_place(cli: CliRunner) -> None:
    result = cli.invoke(main, ["flink", "check", "wrong.yaml"])
    assert result.exit_code == 1
    refused = [line.partition(": refused: ")[::2] for line in result.stdout.splitlines() if ": refused: " in line]
    assert [(place, text.partition(": ")[0]) for place, text in refused] == [
        ("wrong.yaml:1:1", "spec"),
        ("wrong.yaml:12:18", "*broker"),
        ("wrong.yaml:3:7", "kind"),
        ("wrong.yaml:6:7", "spec.topics[0].targets[0]"),
    ]


def test_functions_and_the_code_of_the_working_directory_are_looked_into(cli: CliRunner, directory: Path) -> None:
    (directory / "statefun.toml").write_text('[functions."shop/cart"]\nbisect = true\n')
    result = cli.invoke(main, ["flink", "check", "good.yaml", "--functions", "app:functions", "--json"])
    assert result.exit_code == 0
    setting, code = json.loads(result.stdout)
    assert (setting["file"], setting["line"], setting["effect"]) == (str(directory / "statefun.toml"), 2, "different")
    assert {**code, "message": "", "alternative": ""} == {
        "effect": "different",
        "file": str(directory / "app.py"),
        "line": 5,
        "column": 11,
        "path": "Reject",
        "message": "",
        "alternative": "",
    }
    assert code["message"]
    assert code["alternative"]


def test_functions_without_an_endpoint_fail_the_check(cli: CliRunner, directory: Path) -> None:
    (directory / "empty.yaml").write_text("")
    result = cli.invoke(main, ["flink", "check", "empty.yaml", "--functions", "app:functions"])
    assert result.exit_code == 1
    assert "app.py:3:1: refused: shop/cart: no endpoint serves it" in result.stdout


def test_a_file_that_cannot_be_read_fails_the_check(cli: CliRunner) -> None:
    result = cli.invoke(main, ["flink", "check", "none.yaml"])
    assert result.exit_code == 1
    assert "none.yaml: refused: " in result.stdout
