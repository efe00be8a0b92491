import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from statefun_runtime.cli.main import main

GOOD = """\
kind: io.statefun.playground.v1/ingress
spec:
  port: 8090
"""
SURPLUS = GOOD + "  prot: 1\n"
WRONG = """\
kind: io.statefun.playground.v1/ingress
spec:
  port: many
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: shop
  urlPathTemplate: http://localhost:8000/
"""
FILE_INGRESS = """\
kind: io.statefun.file.v1/ingress
spec:
  id: shop/orders
  path: orders.jsonl
  format: json-lines
  key: customer
  targets: [shop/cart, shop/carrt]
"""
ENDPOINT = """\
---
kind: io.statefun.endpoints.v2/http
spec:
  functions: shop/carrt
  urlPathTemplate: http://localhost:8000/
"""
SECRET = """\
kind: io.statefun.kafka.v1/egress
spec:
  id: shop/receipts
  address: kafka:9092
  properties:
    - ssl.key.password: ${env:KAFKA_PASSWORD}
"""
KAFKA = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: shop/orders
  address: kafka:9092
  consumerGroupId: shop
  topics:
    - {topic: orders, valueType: shop/Order, targets: [shop/cart]}
"""
PROPERTIES = """\
  startupPosition: {type: earliest}
  properties:
    - max.poll.records: hunter2
    - sasl.mechansm: hunter2
"""
APP = """\
from statefun import StatefulFunctions
functions = StatefulFunctions()
@functions.bind("shop/cart")
def cart(context, message):
    pass
"""


@pytest.fixture(autouse=True)
def files(directory: Path) -> None:
    texts = {"good": GOOD, "surplus": SURPLUS, "wrong": WRONG, "file": FILE_INGRESS, "both": FILE_INGRESS + ENDPOINT}
    texts |= {"kafka": KAFKA, "properties": KAFKA + PROPERTIES}
    for name, text in texts.items():
        (directory / f"{name}.yaml").write_text(text)
    (directory / "app.py").write_text(APP)


def test_a_module_without_problems_is_exit_code_0(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "good.yaml"])
    assert (result.exit_code, result.output) == (0, "1 file: no problems\n")


def test_all_errors_are_told_at_once_with_their_places(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "wrong.yaml"])
    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first.startswith("wrong.yaml:3:9: error: spec.port: ")
    assert second.startswith("wrong.yaml:7:14: error: spec.functions: ")
    assert result.stderr == "1 file: 2 errors, 0 warnings\n"


def test_a_warning_is_an_error_only_when_strict(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "surplus.yaml"])
    assert result.exit_code == 0
    assert "surplus.yaml:4:3: warning: spec.prot: " in result.stdout
    assert '(did you mean "port"?)' in result.stdout
    assert cli.invoke(main, ["check", "surplus.yaml", "--strict"]).exit_code == 1


def test_where_a_kafka_ingress_starts_unsaid_is_a_note_and_fails_nothing(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "kafka.yaml", "--strict"])
    assert (result.exit_code, result.stderr) == (0, "1 file: no problems\n")
    assert result.stdout == (
        "kafka.yaml:1:7: note: spec.startupPosition: is not given: the first start is at the offsets of the group "
        "shop, and where it has none at the newest record; on Flink it is at the newest record\n"
    )


def test_properties_of_kafka_that_are_unknown_or_without_effect_are_told_with_their_places(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "properties.yaml"])
    assert (result.exit_code, result.stderr) == (1, "1 file: 1 error, 1 warning\n")
    assert result.stdout.splitlines() == [
        "properties.yaml:10:7: warning: spec.properties[0].max.poll.records: is left out: only Java's client has it",
        "properties.yaml:11:7: error: spec.properties[1].sasl.mechansm: is unknown; did you mean sasl.mechanism?",
    ]


def test_problems_as_json_have_all_their_parts(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "surplus.yaml", "--format", "json"])
    (problem,) = json.loads(result.stdout)
    assert {**problem, "message": ""} == {
        "severity": "warning",
        "file": "surplus.yaml",
        "line": 4,
        "column": 3,
        "path": "spec.prot",
        "message": "",
        "suggestion": "port",
    }


def test_no_problems_as_json_are_an_empty_list(cli: CliRunner) -> None:
    assert json.loads(cli.invoke(main, ["check", "good.yaml", "--format", "json"]).stdout) == []


def test_a_target_that_nobody_serves_is_told_with_the_nearest_function(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "file.yaml", "--functions", "app:functions"])
    assert result.exit_code == 1
    assert "file.yaml:1:7: error: spec.targets[1]: shop/orders sends to shop/carrt" in result.stdout
    assert '(did you mean "shop/cart"?)' in result.stdout


def test_targets_are_served_by_hosted_functions_and_by_endpoints(cli: CliRunner) -> None:
    assert cli.invoke(main, ["check", "both.yaml", "--functions", "app:functions"]).exit_code == 0


def test_without_functions_targets_are_not_judged(cli: CliRunner) -> None:
    assert cli.invoke(main, ["check", "file.yaml"]).exit_code == 0


def test_a_file_that_is_not_there_is_a_problem_among_others(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "none.yaml", "wrong.yaml"])
    assert result.exit_code == 1
    assert "none.yaml: error: cannot be read" in result.stdout
    assert result.stderr == "2 files: 3 errors, 0 warnings\n"


def test_functions_that_cannot_be_loaded_are_an_error(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "good.yaml", "--functions", "app:function"])
    assert result.exit_code == 1
    assert 'did you mean "functions"' in result.output
    assert "Traceback" not in result.output


def test_debug_shows_the_traceback_of_an_error(cli: CliRunner) -> None:
    result = cli.invoke(main, ["check", "good.yaml", "--functions", "app:function", "--debug"])
    assert result.exit_code == 1
    assert "Traceback" in result.stderr


def test_placeholders_are_read_from_the_environment_of_the_command(cli: CliRunner, directory: Path) -> None:
    (directory / "secret.yaml").write_text(SECRET)
    result = cli.invoke(main, ["check", "secret.yaml"], env={"KAFKA_PASSWORD": "hunter2"})
    assert (result.exit_code, result.output) == (0, "1 file: no problems\n")
    result = cli.invoke(main, ["check", "secret.yaml"], env={"KAFKA_PASSWORD": None})
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "secret.yaml:6:25: error: spec.properties[0].ssl.key.password: needs the environment variable KAFKA_PASSWORD"
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_is_in_no_problem(cli: CliRunner, directory: Path, form: str) -> None:
    (directory / "secret.yaml").write_text(
        SECRET + "  deliverySemantic: {type: exactly-once, transactionTimeout: '${env:KAFKA_PASSWORD}'}\n"
    )
    environment = {"KAFKA_PASSWORD": "hunter2"}
    result = cli.invoke(main, ["check", "secret.yaml", "--format", form], env=environment)
    assert result.exit_code == 1
    assert "hunter2" not in result.output
