"""`${env:NAME}` and `${file:PATH}`: what stands for a secret is read late, and shown by no message."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from statefun_runtime.kafka.properties import Role, translate
from statefun_runtime.module.aws_spec import BasicCredentials
from statefun_runtime.module.egress_spec import KafkaEgressSpec, KinesisEgressSpec
from statefun_runtime.module.loader import LoadResult
from statefun_runtime.module.placeholders import MAX_BYTES, Placeholders
from statefun_runtime.module.spec import AdapterSpec, Duration, merge_properties

from .modules import Load, spot

SECRET = "hunter2"
EGRESS = """\
kind: io.statefun.kafka.v1/egress
spec:
  id: shop/receipts
  address: kafka:9092
  properties:
    - {name}: {value}
"""
LOGIN = 'x.PlainLoginModule required username="alice" password='
ENVIRONMENT = {"PASSWORD": SECRET, "EMPTY": "", "NULL": "null"}


def properties(result: LoadResult) -> Mapping[str, str]:
    assert result.problems == ()
    spec = result.module.egresses[0].spec
    assert isinstance(spec, KafkaEgressSpec)
    return merge_properties(spec.properties)


def value_of(load: Load, text: str, environment: Mapping[str, str] = ENVIRONMENT) -> str:
    """What `text` stands for as a property."""
    loaded = load(EGRESS.format(name="ssl.key.password", value=f"'{text}'"), environment=environment)
    return properties(loaded)["ssl.key.password"]


def message_about(load: Load, text: str, name: str = "ssl.key.password") -> str:
    """What the only problem says of `text` as a property."""
    (problem,) = load(EGRESS.format(name=name, value=f"'{text}'"), environment=ENVIRONMENT).problems
    assert spot(problem) == f"module0.yaml:6:{len(name) + 9} error spec.properties[0].{name}"
    return problem.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${env:PASSWORD}", SECRET),
        ("a ${env:PASSWORD}${env:PASSWORD} b", f"a {SECRET}{SECRET} b"),
        ("${env:EMPTY}", ""),
        ("${env:NULL}", "null"),
        ("$${env:PASSWORD}", "${env:PASSWORD}"),
        ("$${file:a} ${env:PASSWORD}", f"${{file:a}} {SECRET}"),
        ("$ $$ ${PASSWORD} ${ENV:PASSWORD} {env:PASSWORD} ${secret:x}", None),
    ],
)
def test_variables_take_the_place_of_placeholders_and_other_dollars_stay(
    load: Load, text: str, expected: str | None
) -> None:
    assert value_of(load, text) == (text if expected is None else expected)


def test_a_value_that_reads_like_a_placeholder_is_not_read_again(load: Load) -> None:
    assert value_of(load, "${env:A}", {"A": "${env:B}", "B": SECRET}) == "${env:B}"


@pytest.mark.parametrize(
    ("content", "expected"),
    [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("", ""), ("ä\nb\n", "ä\nb"), ("a\r", "a\r")],
)
def test_a_file_is_found_beside_the_module_file_and_loses_one_line_break(
    load: Load, tmp_path: Path, content: str, expected: str
) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "password").write_bytes(content.encode())
    assert value_of(load, "${file:keys/password}") == expected


def test_a_path_may_be_absolute(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere"
    file.write_text(SECRET)
    assert value_of(load, f"${{file:{file}}}") == SECRET


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${env:NONE}", "needs the environment variable NONE, which is not set; set it"),
        ("${file:none}", "none, which cannot be read: No such file or directory; put the secret there"),
        ("${file:large}", f"large, which is larger than {MAX_BYTES} bytes"),
        ("${file:binary}", "binary, which is not UTF-8 text"),
        ("${file:null}", r"${file:null} contains a null character"),
        ("${env:}", "a placeholder reads ${env:NAME} or ${file:PATH}"),
        ("${env:PASSWORD", "a placeholder reads ${env:NAME} or ${file:PATH}"),
    ],
)
def test_a_placeholder_without_a_value_is_an_error_with_its_place(
    load: Load, tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "large").write_bytes(b"a" * (MAX_BYTES + 1))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "null").write_bytes(b"a\0b")
    assert expected in message_about(load, text)


@pytest.mark.parametrize("name", ["id: ${env:PASSWORD}", "functions: ${env:PASSWORD}/*"])
def test_what_messages_show_cannot_be_a_placeholder(load: Load, name: str) -> None:
    result = load(f"kind: io.statefun.endpoints.v2/http\nspec:\n  {name}\n", environment=ENVIRONMENT)
    assert any("cannot hold a placeholder" in problem.message for problem in result.errors)
    assert SECRET not in str(result.problems)


def test_what_a_later_file_replaces_needs_no_value(load: Load) -> None:
    first = EGRESS.format(name="ssl.key.password", value="${env:NONE}")
    second = EGRESS.format(name="ssl.key.password", value="${env:PASSWORD}")
    assert properties(load(first, second, environment=ENVIRONMENT)) == {"ssl.key.password": SECRET}


def test_keys_are_no_placeholders(load: Load) -> None:
    loaded = load(EGRESS.format(name="'${env:PASSWORD}'", value="a"), environment=ENVIRONMENT)
    assert [problem.path for problem in loaded.problems] == ["spec.properties[0].${env:PASSWORD}"]


def login(load: Load, line: str, password: str) -> Mapping[str, str]:
    text = EGRESS.format(name="sasl.jaas.config", value="|-\n        " + line)
    return translate(properties(load(text, environment={"PASSWORD": password})), Role.PRODUCER).settings


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize(
    "password", ['a"; username="eve', "a'; b", "back\\slash\\", '\\"', "a;b c=d", "${env:X}", "é\n"]
)
def test_a_password_does_not_get_out_of_the_quotes_of_a_login(load: Load, quote: str, password: str) -> None:
    settings = login(load, f"{LOGIN}{quote}${{env:PASSWORD}}{quote};", password)
    assert settings == {"sasl.username": "alice", "sasl.password": password}


def test_a_login_may_come_as_a_whole(load: Load) -> None:
    assert login(load, "${env:PASSWORD}", f'{LOGIN}"a\\"b";') == {"sasl.username": "alice", "sasl.password": 'a"b'}


def test_a_placeholder_without_quotes_in_a_login_is_an_error(load: Load) -> None:
    line = "x.PlainLoginModule required username=alice password=${env:PASSWORD};"
    assert "must be the whole line here, or stand between quotes" in message_about(load, line, "sasl.jaas.config")


def test_an_aws_key_is_read_from_the_environment(load: Load) -> None:
    text = """\
        kind: io.statefun.kinesis.v1/egress
        spec:
          id: shop/out
          awsCredentials: {type: basic, accessKeyId: "${env:ID}", secretAccessKey: "${env:KEY}"}
        """
    spec = load(text, environment={"ID": "AKIA", "KEY": SECRET}).require().egresses[0].spec
    assert isinstance(spec, KinesisEgressSpec)
    assert isinstance(spec.aws_credentials, BasicCredentials)
    assert spec.aws_credentials.access_key_id == "AKIA"
    assert spec.aws_credentials.secret_access_key.get_secret_value() == SECRET


class Timed(AdapterSpec):
    """A kind whose messages repeat a wrong value."""

    wait: Duration


@pytest.mark.parametrize("secret", [SECRET, "quo'te\"", "tab\tback\\slash", "hunter2 " * 20])
def test_no_problem_shows_a_secret(load: Load, secret: str) -> None:
    text = 'kind: acme/source\nspec: {id: a/b, wait: "x${env:SECRET}"}\n'
    result = load(text, environment={"SECRET": secret}, own_ingresses={"acme/source": lambda: Timed})
    assert len(result.errors) == 1
    assert secret not in result.errors[0].message
    assert repr(secret)[1:-1] not in result.errors[0].message


def test_resolved_values_are_kept_for_masking(load: Load) -> None:
    result = load(EGRESS.format(name="ssl.key.password", value="'a${env:PASSWORD}'"), environment=ENVIRONMENT)
    assert result.module.secrets.mask(f"of {SECRET}") == "of ***"
    assert Placeholders({}, []).secrets == set()
