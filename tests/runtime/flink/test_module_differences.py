from pathlib import Path

import pytest

from statefun_runtime.flink.difference import Difference, Effect
from statefun_runtime.flink.module_differences import alias_differences, module_differences, wrong_for_flink
from statefun_runtime.module.loader import load_modules

GOOD = """\
kind: io.statefun.endpoints.v2/http
spec:
  functions: shop/*
  urlPathTemplate: http://functions:8000/
  transport:
    type: io.statefun.transports.v1/async
    call: 30s
---
kind: io.statefun.kafka.v1/ingress
spec:
  id: shop/orders
  address: kafka:9092
  startupPosition: {type: earliest}
  invalidRecordHandling: {type: fail}
  topics:
    - {topic: orders, valueType: shop/Order, targets: [shop/cart]}
---
kind: io.statefun.kinesis.v1/egress
spec:
  id: shop/receipts
"""


def differences(directory: Path, text: str) -> list[Difference]:
    file = directory / "module.yaml"
    file.write_text(text)
    return list(module_differences(load_modules([file], as_written=True).declarations))


def told(directory: Path, text: str) -> list[tuple[str, int, str]]:
    return [
        (difference.effect.value, difference.position.line, difference.path)
        for difference in differences(directory, text)
    ]


def test_an_application_without_differences_has_none(tmp_path: Path) -> None:
    assert differences(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    "kind",
    [
        "io.statefun.playground.v1/ingress",
        "io.statefun.playground.v1/egress",
        "io.statefun.file.v1/ingress",
        "io.statefun.file.v1/egress",
        "io.statefun.http.v1/egress",
        "shop.example/ingress",
        "io.statefun.kafka.v2/ingress",
    ],
)
def test_a_kind_that_flink_does_not_know_is_refused(tmp_path: Path, kind: str) -> None:
    (difference,) = differences(tmp_path, f"kind: {kind}\nspec:\n  id: shop/x\n")
    assert (difference.effect, difference.position.line, difference.path) == (Effect.REFUSED, 1, "kind")
    assert kind in difference.message
    assert "Kafka" in difference.alternative


def test_kinds_of_the_legacy_format_are_those_of_today(tmp_path: Path) -> None:
    text = """\
version: "3.0"
module:
  meta: {type: remote}
  spec:
    endpoints:
      - endpoint:
          meta: {kind: http}
          spec: {functions: shop/*, urlPathTemplate: "http://functions:8000/"}
"""
    ((effect, line, path),) = told(tmp_path, text)
    assert (effect, line, path) == ("different", 7, "module.spec.endpoints[0].endpoint.meta.kind")


def test_the_slow_transport_is_told_of_both_versions(tmp_path: Path) -> None:
    v1 = GOOD.replace("endpoints.v2", "endpoints.v1").replace(
        "  transport:\n    type: io.statefun.transports.v1/async\n    call: 30s\n", ""
    )
    assert told(tmp_path, v1) == [("different", 1, "kind")]
    okhttp = GOOD.replace("v1/async", "v1/okhttp").replace("    call: 30s\n", "")
    assert told(tmp_path, okhttp) == [("different", 6, "spec.transport.type")]


@pytest.mark.parametrize(
    ("timeouts", "larger"),
    [
        ("{call: 5s}", "connect and read and write may take longer than call"),
        ("{call: 5s, connect: 1s, read: 5s, write: 6s}", "write may take longer than call"),
    ],
)
def test_okhttp_takes_no_time_limit_that_is_longer_than_that_of_a_call(
    tmp_path: Path, timeouts: str, larger: str
) -> None:
    okhttp = GOOD.replace("v1/async", "v1/okhttp").replace("    call: 30s\n", f"    timeouts: {timeouts}\n")
    v1 = GOOD.replace("endpoints.v2", "endpoints.v1").replace(
        "  transport:\n    type: io.statefun.transports.v1/async\n    call: 30s\n", f"  timeouts: {timeouts}\n"
    )
    for text, path in ((okhttp, "spec.transport.timeouts"), (v1, "spec.timeouts")):
        [_, difference] = differences(tmp_path, text)
        assert (difference.effect, difference.path) == (Effect.REFUSED, path)
        assert difference.message.startswith(larger)


@pytest.mark.parametrize("timeouts", ["{call: 10s}", "{read: 60s}", "{call: 1s, connect: 1s, read: 1s, write: 1s}"])
def test_okhttp_takes_time_limits_within_that_of_a_call(tmp_path: Path, timeouts: str) -> None:
    okhttp = GOOD.replace("v1/async", "v1/okhttp").replace("    call: 30s\n", f"    timeouts: {timeouts}\n")
    assert told(tmp_path, okhttp) == [("different", 6, "spec.transport.type")]


def test_a_missing_time_limit_for_calls_is_told(tmp_path: Path) -> None:
    (difference,) = differences(tmp_path, GOOD.replace("    call: 30s\n", ""))
    assert (difference.effect, difference.path) == (Effect.DIFFERENT, "spec.transport")
    assert "call: 30s" in difference.alternative


def test_the_time_limit_may_stand_among_the_timeouts(tmp_path: Path) -> None:
    assert differences(tmp_path, GOOD.replace("    call: 30s\n", "    timeouts: {call: 30s}\n")) == []


@pytest.mark.parametrize(
    "url", ["http://localhost:8000/", "http://127.0.0.1/", "http://[::1]:1/", "http+unix:///run/app.sock/"]
)
def test_functions_on_this_machine_are_told(tmp_path: Path, url: str) -> None:
    text = GOOD.replace("http://functions:8000/", url)
    assert told(tmp_path, text) == [("different", 4, "spec.urlPathTemplate")]


def test_a_size_with_a_unit_is_refused(tmp_path: Path) -> None:
    text = GOOD.replace("    call: 30s\n", "    call: 30s\n    payload_max_bytes: 32MiB\n")
    assert told(tmp_path, text) == [("refused", 8, "spec.transport.payload_max_bytes")]


def test_headers_and_the_handling_of_invalid_records_are_told_with_their_places(tmp_path: Path) -> None:
    text = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: shop/orders
  address: kafka:9092
  forwardHeaders: true
  topics:
    - topic: orders
      valueType: shop/Order
      targets: [shop/cart]
      invalidRecordHandling:
        type: skip
"""
    assert told(tmp_path, text) == [
        ("different", 5, "spec.forwardHeaders"),
        ("different", 1, "spec.startupPosition"),
        ("different", 1, "spec.invalidRecordHandling"),
        ("different", 11, "spec.topics[0].invalidRecordHandling"),
    ]


def test_a_placeholder_is_refused_wherever_it_stands_and_needs_no_value(tmp_path: Path) -> None:
    text = """\
kind: io.statefun.kafka.v1/egress
spec:
  id: shop/receipts
  address: kafka:9092
  properties:
    - ssl.key.password: ${env:A_VARIABLE_THAT_IS_NOT_SET}
    - client.id: $${file:x}
    - client.rack: ${other}
"""
    assert told(tmp_path, text) == [
        ("refused", 6, "spec.properties[0].ssl.key.password"),
        ("refused", 7, "spec.properties[1].client.id"),
    ]


def test_properties_of_javas_client_are_not_wrong_for_flink(tmp_path: Path) -> None:
    file = tmp_path / "module.yaml"
    file.write_text(
        f"{GOOD.replace('io.statefun.kinesis.v1/egress', 'io.statefun.kafka.v1/egress')}  address: kafka:1\n"
        "  properties:\n    - interceptor.classes: org.example.Interceptor\n"
    )
    loaded = load_modules([file], as_written=True)
    assert [problem.path for problem in loaded.errors] == ["spec.properties[0].interceptor.classes"]
    assert wrong_for_flink(loaded) == []
    file.write_text(GOOD.replace("functions: shop/*", "functions: shop"))
    assert [problem.path for problem in wrong_for_flink(load_modules([file], as_written=True))] == ["spec.functions"]


def test_an_alias_is_refused_and_an_anchor_alone_is_not() -> None:
    (difference,) = alias_differences("a: &x 1\nb: *x\n", "m.yaml")
    assert str(difference).startswith("m.yaml:2:4: refused: *x: ")
