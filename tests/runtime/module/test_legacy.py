import pytest

from statefun_runtime.module.ingress_spec import KafkaIngressSpec

from .modules import Load, spots

LEGACY = """\
version: "3.0"
module:
  meta:
    type: remote
  spec:
    endpoints:
      - endpoint:
          meta:
            kind: http
          spec:
            functions: com.example/*
            urlPathTemplate: https://bar.foo.com/{function.name}
            maxNumBatchRequests: 50
            timeouts:
              call: 2 min
    ingresses:
      - ingress:
          meta:
            type: io.statefun.kafka/ingress
            id: com.example/users
          spec:
            address: kafka:9092
            topics:
              - topic: users
                valueType: com.example/User
                targets: [com.example/greeter]
    egresses:
      - egress:
          meta:
            type: io.statefun.kafka/egress
            id: com.example/greets
          spec:
            address: kafka:9092
            deliverySemantic:
              type: exactly-once
              transactionTimeoutMillis: 100000
"""


def test_the_legacy_format_becomes_the_kinds_of_today(load: Load) -> None:
    result = load(LEGACY)
    assert result.problems == ()
    module = result.module
    (endpoint,) = module.endpoints
    assert (endpoint.kind, endpoint.functions) == ("io.statefun.endpoints.v1/http", "com.example/*")
    assert (endpoint.max_batch, endpoint.transport.call_timeout) == (50, 120_000)
    assert endpoint.position.line == 9
    assert [(c.kind, c.id, c.position.line) for c in module.ingresses] == [
        ("io.statefun.kafka.v1/ingress", "com.example/users", 19)
    ]
    assert [(c.kind, c.id) for c in module.egresses] == [("io.statefun.kafka.v1/egress", "com.example/greets")]
    spec = module.ingresses[0].spec
    assert isinstance(spec, KafkaIngressSpec)
    assert spec.topics[0].topic == "users"


@pytest.mark.parametrize("version", ["3.0", "'3.0'", '"3.0"'])
def test_the_version_may_be_quoted_or_not(load: Load, version: str) -> None:
    assert load(LEGACY.replace('"3.0"', version)).problems == ()


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_versions_before_3_0_are_refused_in_the_words_of_flink(load: Load, version: str) -> None:
    (problem,) = load(LEGACY.replace("3.0", version)).problems
    assert problem.message == (f"Only format versions higher than or equal to 3.0 is supported. Was version {version}.")
    assert (problem.line, problem.column, problem.path) == (1, 10, "version")


@pytest.mark.parametrize("version", ["4.0", "3", "3.1", "latest"])
def test_other_versions_are_unrecognized(load: Load, version: str) -> None:
    (problem,) = load(LEGACY.replace("3.0", version)).problems
    assert problem.message == f"Unrecognized format version: {version}"


@pytest.mark.parametrize(
    ("kind", "today"),
    [
        ("io.statefun.kafka/ingress", "io.statefun.kafka.v1/ingress"),
        ("io.statefun.kinesis/ingress", "io.statefun.kinesis.v1/ingress"),
        ("io.statefun.kafka.v1/ingress", "io.statefun.kafka.v1/ingress"),
    ],
)
def test_old_and_new_names_of_a_kind_are_known(load: Load, kind: str, today: str) -> None:
    text = LEGACY.replace("io.statefun.kafka/ingress", kind).replace(
        "topics:", "streams:" if "kinesis" in kind else "topics:"
    )
    text = text.replace("- topic:", "- stream:" if "kinesis" in kind else "- topic:")
    result = load(text)
    assert [component.kind for component in result.module.ingresses] == [today]
    assert result.errors == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("type: remote", "type: embedded", "module0.yaml:4:11 error module.meta.type"),
        ("type: remote", "tpye: remote", "module0.yaml:4:5 error module.meta.type"),
        ("kind: http", "kind: grpc", "module0.yaml:9:19 error module.spec.endpoints[0].endpoint.meta.kind"),
        (
            "functions: com.example/*",
            "functions: com.example",
            "module0.yaml:11:24 error module.spec.endpoints[0].endpoint.spec.functions",
        ),
        ("call: 2 min", "call: soon", "module0.yaml:15:21 error module.spec.endpoints[0].endpoint.spec.timeouts.call"),
        ("id: com.example/users", "id: users", "module0.yaml:20:17 error module.spec.ingresses[0].ingress.spec.id"),
    ],
)
def test_problems_of_the_legacy_format_show_their_place(load: Load, old: str, new: str, expected: str) -> None:
    assert expected in spots(load(LEGACY.replace(old, new, 1)))


@pytest.mark.parametrize("change", [("    meta:\n    type: remote", ""), ("type: remote", "type: Remote")])
def test_the_module_type_is_compared_without_case(load: Load, change: tuple[str, str]) -> None:
    assert load(LEGACY.replace("type: remote", "type: REMOTE")).problems == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("version: '3.0'", ["module0.yaml:1:1 error module"]),
        ("version: ['3.0']", ["module0.yaml:1:10 error version"]),
        ("version: '3.0'\nmodule: {}", ["module0.yaml:2:9 error module.meta", "module0.yaml:2:9 error module.spec"]),
        (
            "version: '3.0'\nmodule: {meta: {type: remote}, spec: {endpoints: {}, ingresses: [1], egress: []}}",
            [
                "module0.yaml:2:50 error module.spec.endpoints",
                "module0.yaml:2:66 error module.spec.ingresses[0]",
                "module0.yaml:2:70 warning module.spec.egress",
            ],
        ),
        (
            "version: '3.0'\nmodule: {meta: {type: remote}, spec: {ingresses: [{ingres: 1}]}}",
            [
                "module0.yaml:2:51 error module.spec.ingresses[0].ingress",
                "module0.yaml:2:52 warning module.spec.ingresses[0].ingres",
            ],
        ),
    ],
)
def test_a_legacy_document_with_missing_parts_is_reported(load: Load, text: str, expected: list[str]) -> None:
    assert spots(load(text)) == expected
