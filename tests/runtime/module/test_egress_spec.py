from pathlib import Path

import pytest
from pydantic import SecretStr

from statefun_runtime.module.aws_spec import (
    BasicCredentials,
    CustomEndpointRegion,
    DefaultCredentials,
    DefaultRegion,
    ProfileCredentials,
)
from statefun_runtime.module.egress_spec import (
    AtLeastOnce,
    ExactlyOnce,
    FileEgressSpec,
    KafkaEgressSpec,
    KinesisEgressSpec,
    NoGuarantee,
    PlaygroundEgressSpec,
    SubscriptionEgressSpec,
)
from statefun_runtime.module.spec import Spec

from .modules import Load, spots

KAFKA = "kind: io.statefun.kafka.v1/egress\nspec:\n  id: a/out\n  address: kafka:9092\n"
KINESIS = "kind: io.statefun.kinesis.v1/egress\nspec:\n  id: a/out\n"
FILE = "kind: io.statefun.file.v1/egress\nspec:\n  id: a/out\n  path: out.jsonl\n"
PLAYGROUND = "kind: io.statefun.playground.v1/egress\nspec:\n  port: 8091\n"


def spec(load: Load, text: str) -> Spec:
    result = load(text)
    assert result.problems == ()
    (component,) = result.module.egresses
    assert isinstance(component.spec, Spec)
    return component.spec


def test_a_kafka_egress_is_at_least_once_by_default(load: Load) -> None:
    assert spec(load, KAFKA) == KafkaEgressSpec(
        id="a/out", address="kafka:9092", delivery_semantic=AtLeastOnce(), properties=()
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{type: at-least-once}", AtLeastOnce()),
        ("{type: none}", NoGuarantee(type="none")),
        (
            "{type: exactly-once, transactionTimeout: 15 min}",
            ExactlyOnce(type="exactly-once", transaction_timeout=900_000),
        ),
    ],
)
def test_the_delivery_semantics_are_read(load: Load, written: str, expected: object) -> None:
    found = spec(load, f"{KAFKA}  deliverySemantic: {written}\n  properties: [{{acks: 1}}]\n")
    assert isinstance(found, KafkaEgressSpec)
    assert found.delivery_semantic == expected
    assert found.properties == ({"acks": "1"},)


@pytest.mark.parametrize(
    ("written", "timeout"),
    [
        ("transactionTimeout: 15 min", 900_000),
        ("transactionTimeoutMillis: 100", 100),
        ("transactionTimeout: 15 min, transactionTimeoutMillis: 100", 100),
    ],
)
def test_the_deprecated_timeout_wins_as_in_flink(load: Load, written: str, timeout: int) -> None:
    found = spec(load, f"{KAFKA}  deliverySemantic: {{type: exactly-once, {written}}}\n")
    assert isinstance(found, KafkaEgressSpec)
    assert isinstance(found.delivery_semantic, ExactlyOnce)
    assert found.delivery_semantic.timeout == timeout


def test_a_kinesis_egress_has_the_defaults_of_flink(load: Load) -> None:
    assert spec(load, KINESIS) == KinesisEgressSpec(
        id="a/out",
        aws_region=DefaultRegion(),
        aws_credentials=DefaultCredentials(),
        max_outstanding_records=1000,
        client_config_properties=(),
    )


def test_all_properties_of_a_kinesis_egress_are_read(load: Load) -> None:
    found = spec(
        load,
        KINESIS
        + "  awsRegion: {type: specific, id: x}\n  awsCredentials: {type: profile, profileName: p}\n"
        + "  maxOutstandingRecords: 9999\n  clientConfigProperties: [{ThreadingModel: POOLED}]\n",
    )
    assert isinstance(found, KinesisEgressSpec)
    assert (found.aws_region.type, found.aws_credentials.type) == ("specific", "profile")
    assert found.max_outstanding_records == 9999
    assert found.client_config_properties == ({"ThreadingModel": "POOLED"},)


def test_a_kinesis_egress_can_use_another_endpoint_and_a_profile(load: Load) -> None:
    region = "{type: custom-endpoint, endpoint: 'http://localhost:4567', id: us-west-1}"
    profile = "{type: profile, profileName: john, profilePath: /path/to/config}"
    found = spec(load, f"{KINESIS}  awsRegion: {region}\n  awsCredentials: {profile}\n")
    assert isinstance(found, KinesisEgressSpec)
    assert found.aws_region == CustomEndpointRegion(
        type="custom-endpoint", endpoint="http://localhost:4567", id="us-west-1"
    )
    assert found.aws_credentials == ProfileCredentials(
        type="profile", profile_name="john", profile_path=Path("/path/to/config")
    )


def test_a_kinesis_egress_can_have_keys_which_are_not_shown(load: Load) -> None:
    found = spec(load, KINESIS + "  awsCredentials: {type: basic, accessKeyId: AKIA, secretAccessKey: hidden}\n")
    assert isinstance(found, KinesisEgressSpec)
    assert found.aws_credentials == BasicCredentials(
        type="basic", access_key_id="AKIA", secret_access_key=SecretStr("hidden")
    )
    assert "hidden" not in repr(found)


def test_a_playground_egress_has_a_port_and_topics(load: Load) -> None:
    kind = "kind: io.statefun.playground.v1/egress\nspec: "
    assert spec(load, kind + "{}") == PlaygroundEgressSpec(port=8091, topics=())
    assert spec(load, kind + "{port: 1, topics: [a, no]}") == PlaygroundEgressSpec(port=1, topics=("a", "no"))
    assert PlaygroundEgressSpec.id == "io.statefun.playground/egress"


def test_all_properties_of_an_http_egress_are_read(load: Load) -> None:
    kind = "kind: io.statefun.http.v1/egress\nspec:\n  id: a/out\n"
    more = "  port: 0\n  retentionTime: 2 h\n  retentionSize: 3 MiB\n"
    assert spec(load, kind + more) == SubscriptionEgressSpec(
        id="a/out", port=0, retention_time=7_200_000, retention_size=3 << 20
    )


def test_a_file_egress_writes_json_lines(load: Load, tmp_path: Path) -> None:
    expected = FileEgressSpec(id="a/out", path=tmp_path / "out.jsonl", format="json-lines")
    assert spec(load, FILE) == expected
    assert spec(load, FILE + "  format: json-lines\n") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (KAFKA.replace("  address: kafka:9092\n", ""), "3:3 error spec"),
        (KAFKA + "  deliverySemantic: {type: exactly-once}\n", "5:21 error spec.deliverySemantic"),
        (KAFKA + "  deliverySemantic: {type: twice}\n", "5:28 error spec.deliverySemantic.type"),
        (KAFKA + "  deliverySemantic: {type: none, typ: 1}\n", "5:34 warning spec.deliverySemantic.typ"),
        (
            KAFKA + "  deliverySemantic: {type: exactly-once, transactionTimeout: x}\n",
            "5:62 error spec.deliverySemantic.transactionTimeout",
        ),
        (
            KAFKA + "  deliverySemantic: {type: exactly-once, transactionTimeoutMillis: 0}\n",
            "5:68 error spec.deliverySemantic.transactionTimeoutMillis",
        ),
        (KINESIS + "  maxOutstandingRecords: 0\n", "4:26 error spec.maxOutstandingRecords"),
        (FILE + "  format: csv\n", "5:11 error spec.format"),
        (FILE.replace("  path: out.jsonl\n", ""), "3:3 error spec.path"),
        (PLAYGROUND.replace("8091", "65536"), "3:9 error spec.port"),
        (PLAYGROUND.replace("8091", "-1"), "3:9 error spec.port"),
        (PLAYGROUND + "  topics: a\n", "4:11 error spec.topics"),
        (PLAYGROUND + "  topics: ['']\n", "4:12 error spec.topics[0]"),
        (PLAYGROUND + "  id: a/b\n", "4:3 warning spec.id"),
    ],
)
def test_a_wrong_property_is_reported_where_it_stands(load: Load, text: str, expected: str) -> None:
    assert spots(load(text)) == [f"module0.yaml:{expected}"]
