"""What is said of the sections of Kafka beyond the types of their properties."""

import pytest

from statefun_runtime.module.kafka_check import unsaid_starts

from .modules import Load, spot, spots

TOPICS = "  topics:\n    - {topic: users, valueType: a/user, targets: [a/one]}\n"
INGRESS = f"kind: io.statefun.kafka.v1/ingress\nspec:\n  id: a/in\n  address: kafka:9092\n{TOPICS}"
EGRESS = "kind: io.statefun.kafka.v1/egress\nspec:\n  id: a/out\n  address: kafka:9092\n"


GROUPED = "  properties: [{group.id: g}]\n"
EARLIEST = "  autoOffsetResetPosition: earliest\n"


@pytest.mark.parametrize(
    ("more", "here", "on_flink"),
    [
        ("", "at the newest record, since no consumerGroupId is given either", ""),
        (
            EARLIEST,
            "at the oldest record, since no consumerGroupId is given either",
            "; on Flink it is at the newest record",
        ),
        (
            GROUPED + EARLIEST,
            "at the offsets of the group g, and where it has none at the oldest record",
            "; on Flink it is at the newest record",
        ),
    ],
)
def test_where_an_ingress_starts_unsaid_is_noted(load: Load, more: str, here: str, on_flink: str) -> None:
    result = load(INGRESS + more)
    assert result.problems == ()
    [told] = unsaid_starts(result.module)
    assert spot(told) == "module0.yaml:1:7 note spec.startupPosition"
    assert told.message == f"is not given: the first start is {here}{on_flink}"


def test_a_group_that_is_a_secret_is_not_shown(load: Load) -> None:
    module = load(INGRESS + "  consumerGroupId: ${env:GROUP}\n", environment={"GROUP": "hunter2"}).module
    [told] = unsaid_starts(module)
    assert "at the offsets of the group ***, and" in told.message


def test_a_start_that_is_given_needs_no_note(load: Load) -> None:
    module = load(INGRESS + "  startupPosition: {type: latest}\n", EGRESS).module
    assert list(unsaid_starts(module)) == []


def test_each_section_is_checked_as_the_client_that_it_is_for(load: Load) -> None:
    properties = "  properties:\n    - acks: all\n    - fetch.min.bytes: 1\n"
    assert spots(load(INGRESS + properties, EGRESS + properties)) == [
        "module0.yaml:8:7 warning spec.properties[0].acks",
        "module1.yaml:7:7 warning spec.properties[1].fetch.min.bytes",
    ]


def test_a_property_that_is_given_twice_is_told_where_it_counts(load: Load) -> None:
    result = load(EGRESS + "  properties:\n    - ack: 0\n    - acks: 1\n    - ack: 1\n")
    assert [str(problem).partition(": ")[2] for problem in result.problems] == [
        "error: spec.properties[2].ack: is unknown; did you mean acks?"
    ]
    assert result.module.egresses == ()


def test_a_value_that_was_not_found_is_not_judged(load: Load) -> None:
    result = load(EGRESS + "  properties:\n    - sasl.jaas.config: ${env:NONE}\n")
    assert spots(result) == ["module0.yaml:6:25 error spec.properties[0].sasl.jaas.config"]


def test_in_the_legacy_format_the_path_is_that_of_the_file(load: Load) -> None:
    text = """\
    version: "3.0"
    module:
      meta: {type: remote}
      spec:
        egresses:
          - egress:
              meta: {type: io.statefun.kafka/egress, id: a/out}
              spec:
                address: kafka:9092
                properties: [{ack: 1}]
    """
    assert spots(load(text)) == ["module0.yaml:10:27 error module.spec.egresses[0].egress.spec.properties[0].ack"]
