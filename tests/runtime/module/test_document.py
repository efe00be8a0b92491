from pathlib import Path

import pytest

from statefun_runtime.errors import ModuleError
from statefun_runtime.module.ingress_spec import KafkaIngressSpec
from statefun_runtime.module.loader import MAX_BYTES, load_modules
from statefun_runtime.module.spec import AdapterSpec, Duration, FilePath, Port, Spec

from .modules import Load, spot, spots

ENDPOINT = """\
kind: io.statefun.endpoints.v2/http
spec:
  functions: com.example/*
  urlPathTemplate: http://localhost:8000/statefun
"""


def test_documents_are_read_in_order_and_null_ones_are_skipped(load: Load) -> None:
    result = load(
        ENDPOINT
        + """\
---
---
kind: io.statefun.playground.v1/ingress
spec:
  port: 9000
---
~
---
kind: io.statefun.playground.v1/egress
spec: {}
"""
    )
    assert result.problems == ()
    assert [endpoint.functions for endpoint in result.module.endpoints] == ["com.example/*"]
    assert [(c.kind, c.id) for c in result.module.ingresses] == [
        ("io.statefun.playground.v1/ingress", "io.statefun.playground/ingress")
    ]
    assert [c.id for c in result.module.egresses] == ["io.statefun.playground/egress"]


def test_a_component_knows_the_file_and_line_of_its_kind(load: Load) -> None:
    result = load("\n\n" + ENDPOINT)
    position = result.module.endpoints[0].position
    assert (Path(position.file).name, position.line, position.column) == ("module0.yaml", 3, 7)


@pytest.mark.parametrize("text", ["", "---\n", "# nothing but a comment\n", "null\n"])
def test_an_empty_file_is_an_empty_module(load: Load, text: str) -> None:
    result = load(text)
    assert result.problems == ()
    assert result.require().endpoints == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("just text", ["module0.yaml:1:1 error "]),
        ("- a list", ["module0.yaml:1:1 error "]),
        ("kind: a/b", ["module0.yaml:1:1 error spec"]),
        ("spec: {}", ["module0.yaml:1:1 error kind"]),
        ("kind: a/b\nspec: ~", ["module0.yaml:1:1 error spec"]),
        ("kind: a/b\nspec: text", ["module0.yaml:2:7 error spec"]),
        ("kind: [a]\nspec: {}", ["module0.yaml:1:7 error kind"]),
        ("kind: nonsense\nspec: {}", ["module0.yaml:1:7 error kind"]),
        (ENDPOINT + "sepc: {}\n", ["module0.yaml:5:1 warning sepc"]),
        (ENDPOINT + "---\nversion: '3.0'\n", ["module0.yaml:6:1 error "]),
    ],
)
def test_a_document_that_is_no_kind_with_a_spec_is_reported_where_it_stands(
    load: Load, text: str, expected: list[str]
) -> None:
    assert spots(load(text)) == expected


def test_an_unknown_key_of_a_document_suggests_the_right_one(load: Load) -> None:
    (problem,) = load(ENDPOINT + "specs: {}\n").problems
    assert problem.suggestion == "spec"


def test_an_unknown_kind_is_an_error_that_names_the_nearest_known_one(load: Load) -> None:
    (problem,) = load("kind: io.statefun.kafka.v1/ingres\nspec: {}").problems
    assert problem.suggestion == "io.statefun.kafka.v1/ingress"
    assert str(problem).startswith(f"{problem.file}:1:7: error: kind: no kind 'io.statefun.kafka.v1/ingres' is known")
    assert str(problem).endswith('(did you mean "io.statefun.kafka.v1/ingress"?)')


def test_all_problems_of_all_files_are_found_at_once_in_the_order_of_the_files(load: Load) -> None:
    result = load(
        "kind: a/b\nspec: {}\n---\nkind: io.statefun.playground.v1/ingress\nspec: {port: 70000, prot: 1}\n",
        "kind: c/d\nspec: {}\n---\n{}\n",
    )
    assert spots(result) == [
        "module0.yaml:1:7 error kind",
        "module0.yaml:5:14 error spec.port",
        "module0.yaml:5:21 warning spec.prot",
        "module1.yaml:1:7 error kind",
        "module1.yaml:4:1 error kind",
        "module1.yaml:4:1 error spec",
    ]
    assert len(result.errors) == 5
    assert [problem.path for problem in result.warnings] == ["spec.prot"]


def test_requiring_a_module_with_errors_raises_them_all_but_no_warnings(load: Load) -> None:
    result = load("kind: a/b\nspec: {}\n---\nkind: io.statefun.playground.v1/ingress\nspec: {port: x, prot: 1}\n")
    with pytest.raises(ModuleError) as raised:
        result.require()
    lines = str(raised.value).splitlines()
    assert len(lines) == 2
    assert "module0.yaml:1:7: error: kind: no kind 'a/b' is known" in lines[0]
    assert "module0.yaml:5:14: error: spec.port: must be a whole number, not 'x'" in lines[1]


def test_a_module_with_warnings_only_can_be_used(load: Load) -> None:
    result = load("kind: io.statefun.playground.v1/ingress\nspec: {port: 1, prot: 1}\n")
    assert len(result.require().ingresses) == 1


def test_what_is_right_is_in_the_module_beside_what_is_wrong(load: Load) -> None:
    result = load(ENDPOINT + "---\nkind: a/b\nspec: {}\n")
    assert len(result.module.endpoints) == 1


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, name: str) -> None:
    (problem,) = load_modules([tmp_path / name]).problems
    assert problem.message.startswith("cannot be read: ")
    assert str(problem).startswith(f"{tmp_path / name}: error: cannot be read")


def test_a_file_that_is_not_utf8_is_a_problem_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "module.yaml"
    path.write_bytes(b"kind: a/b\nspec: {id: \xff}\n")
    (problem,) = load_modules([path]).problems
    assert (problem.line, problem.message) == (2, "is not UTF-8 text")


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "module.yaml"
    path.write_text(ENDPOINT, encoding="utf-8-sig")
    result = load_modules([path])
    assert result.problems == ()
    assert result.module.endpoints[0].position.column == 7


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "module.yaml"
    path.write_text("#" * (MAX_BYTES + 1), encoding="utf-8")
    (problem,) = load_modules([path]).problems
    assert problem.message == f"is larger than {MAX_BYTES} bytes"


TRAPS = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: on/off
  address: 0123
  consumerGroupId: yes
  topics:
    - {topic: no, valueType: 1/2, targets: [1.5/0x10]}
    - {topic: 0123, valueType: a/b, targets: [y/n]}
    - {topic: 1e3, valueType: a/b, targets: [y/n]}
    - {topic: 2024-02-01, valueType: a/b, targets: [y/n]}
  properties:
    - check.crcs: true
    - client.id: 010
"""


def test_texts_that_yaml_takes_for_numbers_dates_or_truth_values_stay_texts(load: Load) -> None:
    result = load(TRAPS)
    assert result.problems == ()
    spec = result.module.ingresses[0].spec
    assert isinstance(spec, KafkaIngressSpec)
    assert (spec.id, spec.address, spec.consumer_group_id) == ("on/off", "0123", "yes")
    assert [topic.topic for topic in spec.topics] == ["no", "0123", "1e3", "2024-02-01"]
    assert spec.topics[0].targets == ("1.5/0x10",)
    assert spec.properties == ({"check.crcs": "true"}, {"client.id": "010"})


class QueueSpec(AdapterSpec):
    port: Port
    path: FilePath
    poll_interval: Duration = 1000


OWN = {"com.acme.queue/source": lambda: QueueSpec}


def test_the_spec_of_a_users_own_kind_is_an_instance_of_its_class(load: Load, tmp_path: Path) -> None:
    text = "kind: com.acme.queue/source\nspec: {id: com.acme/in, port: 1883, path: in.db, pollInterval: 2s}\n"
    result = load(text, own_ingresses=OWN)
    assert result.problems == ()
    (component,) = result.module.ingresses
    assert (component.kind, component.id) == ("com.acme.queue/source", "com.acme/in")
    assert component.spec == QueueSpec(id="com.acme/in", port=1883, path=tmp_path / "in.db", poll_interval=2000)


def test_all_that_is_wrong_with_the_spec_of_a_users_own_kind_is_told_with_its_place(load: Load) -> None:
    text = """\
kind: com.acme.queue/source
spec:
  id: nonsense
  port: high
  pollIntervall: 2s
"""
    problems = load(text, own_ingresses=OWN).problems
    assert [str(problem).partition("module0.yaml:")[2] for problem in problems] == [
        "3:3: error: spec.path: is required",
        "3:7: error: spec.id: 'nonsense' is not a typename: it has no '/', the form is namespace/name",
        "4:9: error: spec.port: must be a whole number, not 'high'",
        '5:3: warning: spec.pollIntervall: is not a known property (did you mean "pollInterval"?)',
    ]


def test_a_users_own_egress_goes_to_the_egresses(load: Load) -> None:
    result = load("kind: com.acme/sink\nspec: {id: a/b}\n", own_egresses={"com.acme/sink": lambda: AdapterSpec})
    assert [component.id for component in result.module.egresses] == ["a/b"]
    assert result.problems == ()


@pytest.mark.parametrize("spec", ["{}", "{id: }", "{id: [x]}", "{id: nonsense}"])
def test_a_users_own_kind_needs_a_typename_as_id(load: Load, spec: str) -> None:
    result = load(f"kind: com.acme/sink\nspec: {spec}\n", own_egresses={"com.acme/sink": lambda: AdapterSpec})
    assert [problem.path for problem in result.errors] == ["spec.id"]
    assert result.module.egresses == ()


def test_an_adapter_that_cannot_be_had_is_a_problem_at_the_place_of_the_kind(load: Load) -> None:
    def missing() -> type[Spec]:
        raise ModuleError("the adapter cannot be imported: no driver")

    (problem,) = load("kind: com.acme/sink\nspec: {id: a/b}\n", own_egresses={"com.acme/sink": missing}).problems
    assert spot(problem) == "module0.yaml:1:7 error kind"
    assert problem.message == "the adapter cannot be imported: no driver"


def test_a_users_own_kind_is_suggested_like_any_other(load: Load) -> None:
    (problem,) = load("kind: com.acme/snik\nspec: {}\n", own_egresses={"com.acme/sink": lambda: AdapterSpec}).problems
    assert problem.suggestion == "com.acme/sink"


def test_an_unknown_kind_is_told_with_those_that_are_known_and_that_a_package_brings_it(load: Load) -> None:
    (problem,) = load("kind: com.acme/queue\nspec: {}\n", own_egresses={"org.other/sink": lambda: AdapterSpec}).problems
    assert "io.statefun.file.v1/ingress" in problem.message
    assert ", org.other/sink; any other comes with a package: install it in the environment" in problem.message
