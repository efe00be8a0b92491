from pathlib import Path

import pytest

from statefun_runtime.module.ingress_spec import DateStartup, EarliestStartup, FileIngressSpec, KafkaIngressSpec
from statefun_runtime.module.loader import load_modules

from .modules import Load, spots

BASE = """\
kind: io.statefun.endpoints.v2/http
spec:
  functions: com.example/*
  urlPathTemplate: http://functions:8000/
  maxNumBatchRequests: 20
  transport: {call: 1 min, pool_size: 5}
---
kind: io.statefun.kafka.v1/ingress
spec:
  id: com.example/users
  address: kafka:9092
  startupPosition: {type: date, date: "2024-02-01 04:15:00.000 +0000"}
  topics:
    - {topic: users, valueType: a/b, targets: [a/b]}
    - {topic: names, valueType: a/b, targets: [a/b]}
"""


def kafka(load: Load, overlay: str) -> KafkaIngressSpec:
    result = load(BASE, f"kind: io.statefun.kafka.v1/ingress\nspec:\n  id: com.example/users\n{overlay}")
    assert result.problems == ()
    spec = result.module.ingresses[0].spec
    assert isinstance(spec, KafkaIngressSpec)
    return spec


def test_an_endpoint_is_overlaid_by_kind_and_functions_field_by_field(load: Load) -> None:
    result = load(
        BASE,
        """\
        kind: io.statefun.endpoints.v2/http
        spec:
          functions: com.example/*
          urlPathTemplate: http://localhost:8000/
          transport: {call: 5 s}
        """,
    )
    assert result.problems == ()
    (endpoint,) = result.module.endpoints
    assert endpoint.url_template == "http://localhost:8000/"
    assert endpoint.max_batch == 20
    assert (endpoint.transport.call_timeout, endpoint.transport.pool_size) == (5000, 5)
    assert Path(endpoint.position.file).name == "module0.yaml"


def test_an_ingress_is_overlaid_by_kind_and_id(load: Load) -> None:
    spec = kafka(load, "  address: localhost:9092\n")
    assert spec.address == "localhost:9092"
    assert [topic.topic for topic in spec.topics] == ["users", "names"]


def test_a_list_is_replaced_as_a_whole(load: Load) -> None:
    spec = kafka(load, "  topics: [{topic: other, valueType: a/b, targets: [a/b]}]\n")
    assert [topic.topic for topic in spec.topics] == ["other"]


def test_null_brings_a_default_back(load: Load) -> None:
    assert kafka(load, "  startupPosition: ~\n").startup_position.type == "group-offsets"


def test_a_mapping_whose_type_changes_is_replaced_as_a_whole(load: Load) -> None:
    assert kafka(load, "  startupPosition: {type: earliest}\n").startup_position == EarliestStartup(type="earliest")


def test_a_mapping_of_the_same_type_is_merged(load: Load) -> None:
    startup = kafka(load, '  startupPosition: {date: "2025-01-01 00:00:00.000 +0100"}\n').startup_position
    assert isinstance(startup, DateStartup)
    assert startup.date.year == 2025


def test_a_later_file_adds_what_the_earlier_ones_do_not_have(load: Load) -> None:
    result = load(BASE, "kind: io.statefun.playground.v1/egress\nspec: {topics: [a]}\n")
    assert result.problems == ()
    assert len(result.module.egresses) == 1
    assert len(result.module.ingresses) == 1


def test_kinds_without_an_id_are_overlaid_too(load: Load) -> None:
    kind = "kind: io.statefun.playground.v1/egress\nspec: "
    result = load(kind + "{topics: [a], port: 1}", kind + "{port: 2}", kind + "{port: 3}")
    assert result.problems == ()
    (egress,) = result.module.egresses
    assert egress.spec.model_dump() == {"port": 3, "topics": ("a",)}


def test_a_legacy_file_is_overlaid_like_any_other(load: Load) -> None:
    result = load(
        """\
        version: "3.0"
        module:
          meta: {type: remote}
          spec:
            egresses:
              - egress:
                  meta: {type: io.statefun.kafka/egress, id: a/b}
                  spec: {address: kafka:9092}
        """,
        "kind: io.statefun.kafka.v1/egress\nspec: {id: a/b, address: localhost:9092}\n",
    )
    assert result.problems == ()
    assert result.module.egresses[0].spec.model_dump()["address"] == "localhost:9092"


def test_a_problem_shows_the_file_that_brought_it(load: Load) -> None:
    result = load(
        BASE,
        """\
        kind: io.statefun.kafka.v1/ingress
        spec:
          id: com.example/users
          adress: localhost:9092
          autoOffsetResetPosition: newest
        """,
    )
    assert spots(result) == [
        "module1.yaml:4:3 warning spec.adress",
        "module1.yaml:5:28 error spec.autoOffsetResetPosition",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "kind: io.statefun.file.v1/egress\nspec: {id: a/b, path: x}",
            "kind: io.statefun.file.v1/egress\nspec: {id: a/b}",
        ),
        (
            "kind: io.statefun.file.v1/egress\nspec: {id: a/b, path: x}",
            "kind: io.statefun.kafka.v1/egress\nspec: {id: a/b, address: k:1}",
        ),
        (
            "kind: io.statefun.endpoints.v1/http\nspec: {functions: a/*, urlPathTemplate: http://a}",
            "kind: io.statefun.endpoints.v2/http\nspec: {functions: a/*, urlPathTemplate: http://a}",
        ),
        ("kind: io.statefun.playground.v1/ingress\nspec: {}", "kind: io.statefun.playground.v1/ingress\nspec: {}"),
    ],
)
def test_a_name_that_is_declared_twice_in_a_file_is_an_error_at_the_second(load: Load, first: str, second: str) -> None:
    result = load(f"{first}\n---\n{second}\n")
    (problem,) = result.errors
    assert (problem.line, problem.column) == (4, 7)
    assert "is declared already, at " in problem.message
    assert "module0.yaml:1:7" in problem.message


def test_another_kind_with_the_same_id_in_a_later_file_is_an_error(load: Load) -> None:
    result = load(
        BASE,
        "kind: io.statefun.file.v1/ingress\n"
        "spec: {id: com.example/users, path: x, format: csv, targets: [a/b], key: k}",
    )
    assert spots(result) == ["module1.yaml:1:7 error "]


def test_an_ingress_and_an_egress_may_share_an_id(load: Load) -> None:
    result = load(
        "kind: io.statefun.file.v1/egress\nspec: {id: a/b, path: x}\n---\n"
        "kind: io.statefun.file.v1/ingress\nspec: {id: a/b, path: x, format: csv, targets: [a/b], key: k}\n"
    )
    assert result.problems == ()


def test_a_relative_path_belongs_to_the_file_that_gives_it(tmp_path: Path) -> None:
    for name, text in (
        ("app/module.yaml", "{id: a/b, path: in.csv, format: csv, targets: [a/b], key: k}"),
        ("local/module.yaml", "{id: a/b, path: ../data/in.csv}"),
        ("other/module.yaml", "{id: a/b, key: l}"),
    ):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(f"kind: io.statefun.file.v1/ingress\nspec: {text}\n", encoding="utf-8")
    paths = [tmp_path / name / "module.yaml" for name in ("app", "local", "other")]
    found = [load_modules(paths[:count]).require().ingresses[0].spec for count in (1, 2, 3)]
    assert [spec.path for spec in found if isinstance(spec, FileIngressSpec)] == [
        tmp_path / "app/in.csv",
        tmp_path / "local/../data/in.csv",
        tmp_path / "local/../data/in.csv",
    ]
