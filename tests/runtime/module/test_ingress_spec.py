from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import SecretStr

from statefun_runtime.module.aws_spec import (
    BasicCredentials,
    CustomEndpointRegion,
    DefaultCredentials,
    DefaultRegion,
    ProfileCredentials,
    SpecificRegion,
)
from statefun_runtime.module.ingress_spec import (
    DateStartup,
    FileIngressSpec,
    GroupOffsetsStartup,
    KafkaIngressSpec,
    KafkaRecordHandling,
    KinesisIngressSpec,
    LatestStartup,
    PlaygroundIngressSpec,
    SpecificOffsetsStartup,
)
from statefun_runtime.module.spec import InvalidRecordHandling, Spec, merge_properties

from .modules import Load, spots

KAFKA = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: com.example/users
  address: kafka:9092
  topics:
    - topic: users
      valueType: com.example/User
      targets: [com.example/greeter, com.example/counter]
"""
KINESIS = """\
kind: io.statefun.kinesis.v1/ingress
spec:
  id: com.example/users
  streams:
    - stream: users
      valueType: com.example/User
      targets: [com.example/greeter]
"""
FILE = """\
kind: io.statefun.file.v1/ingress
spec:
  id: com.example/flights
  path: flights.csv
  format: csv
  targets: [com.example/aircraft]
  key: tail
"""


def spec(load: Load, text: str) -> Spec:
    result = load(text)
    assert result.problems == ()
    (component,) = result.module.ingresses
    assert isinstance(component.spec, Spec)
    return component.spec


def kafka(load: Load, more: str = "") -> KafkaIngressSpec:
    found = spec(load, KAFKA + more)
    assert isinstance(found, KafkaIngressSpec)
    return found


def kinesis(load: Load, more: str = "") -> KinesisIngressSpec:
    found = spec(load, KINESIS + more)
    assert isinstance(found, KinesisIngressSpec)
    return found


def test_a_kafka_ingress_has_the_defaults_of_flinks_documentation(load: Load) -> None:
    found = kafka(load)
    assert (found.id, found.address, found.consumer_group_id) == ("com.example/users", "kafka:9092", None)
    assert (found.auto_offset_reset_position, found.startup_position) == ("latest", GroupOffsetsStartup())
    assert (found.properties, found.forward_headers, found.invalid_record_handling.type) == ((), False, "dead-letter")
    (topic,) = found.topics
    assert (topic.topic, topic.value_type) == ("users", "com.example/User")
    assert topic.targets == ("com.example/greeter", "com.example/counter")
    assert topic.invalid_record_handling is None


def test_all_properties_of_a_kafka_ingress_are_read(load: Load) -> None:
    found = kafka(
        load,
        """\
      invalidRecordHandling: {type: fail}
  consumerGroupId: group
  autoOffsetResetPosition: earliest
  startupPosition: {type: earliest}
  properties: [{client.id: x y}, {fetch.min.bytes: 1}]
  forwardHeaders: true
  invalidRecordHandling: {type: skip}
""",
    )
    assert (found.consumer_group_id, found.auto_offset_reset_position) == ("group", "earliest")
    assert found.startup_position.type == "earliest"
    assert merge_properties(found.properties) == {"client.id": "x y", "fetch.min.bytes": "1"}
    assert found.forward_headers is True
    assert found.invalid_record_handling.type == "skip"
    assert found.topics[0].invalid_record_handling == KafkaRecordHandling(type="fail")


@pytest.mark.parametrize("kind", ["earliest", "latest"])
def test_a_kafka_ingress_starts_where_it_is_told(load: Load, kind: str) -> None:
    assert kafka(load, f"  startupPosition: {{type: {kind}}}\n").startup_position.type == kind


def test_a_kafka_ingress_can_start_at_the_groups_offsets(load: Load) -> None:
    found = kafka(load, "  startupPosition: {type: group-offsets}\n  consumerGroupId: g\n")
    assert found.startup_position.type == "group-offsets"
    assert found.group == "g"


def test_the_field_wins_over_the_property_of_the_consumer_group(load: Load) -> None:
    assert kafka(load, "  properties: [{group.id: p}]\n").group == "p"
    result = load(KAFKA + "  properties: [{group.id: p}]\n  consumerGroupId: f\n")
    assert spots(result) == ["module0.yaml:9:17 warning spec.properties[0].group.id"]
    found = result.module.ingresses[0].spec
    assert isinstance(found, KafkaIngressSpec)
    assert found.group == "f"
    assert kafka(load).group is None


def test_the_address_may_be_among_the_properties(load: Load) -> None:
    text = KAFKA.replace("  address: kafka:9092\n", "") + "  properties: [{bootstrap.servers: 'k:1'}]\n"
    assert spec(load, text) == KafkaIngressSpec(
        id="com.example/users", topics=kafka(load).topics, properties=({"bootstrap.servers": "k:1"},)
    )


def test_specific_offsets_are_read_by_topic_and_partition(load: Load) -> None:
    found = kafka(load, "  startupPosition: {type: specific-offsets, offsets: [users/0: 91, users/1: 11, a.b/8: 0]}\n")
    assert isinstance(found.startup_position, SpecificOffsetsStartup)
    assert found.startup_position.by_partition == {("users", 0): 91, ("users", 1): 11, ("a.b", 8): 0}


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("2020-02-01 04:15:00.000 +0000", datetime(2020, 2, 1, 4, 15, tzinfo=UTC)),
        ("2020-02-01 04:15:00.250 +0130", datetime(2020, 2, 1, 4, 15, 0, 250_000, timezone(timedelta(minutes=90)))),
    ],
)
@pytest.mark.parametrize("kind", [KAFKA, KINESIS])
def test_a_startup_date_has_milliseconds_and_an_offset(load: Load, kind: str, date: str, moment: datetime) -> None:
    found = spec(load, f'{kind}  startupPosition: {{type: date, date: "{date}"}}\n')
    assert isinstance(found, KafkaIngressSpec | KinesisIngressSpec)
    assert found.startup_position == DateStartup(type="date", date=moment)


@pytest.mark.parametrize("date", ["2020-02-01", "2020-02-01 04:15:00 +0000", "2020-02-30 04:15:00.000 +0000", "now"])
def test_another_date_is_an_error(load: Load, date: str) -> None:
    result = load(f'{KAFKA}  startupPosition: {{type: date, date: "{date}"}}\n')
    assert spots(result) == ["module0.yaml:9:39 error spec.startupPosition.date"]


def test_a_kinesis_ingress_has_defaults_for_all_but_id_and_streams(load: Load) -> None:
    found = kinesis(load)
    assert (found.aws_region, found.aws_credentials) == (DefaultRegion(), DefaultCredentials())
    assert (found.startup_position, found.client_config_properties) == (LatestStartup(), ())
    assert [(s.stream, s.value_type, s.targets) for s in found.streams] == [
        ("users", "com.example/User", ("com.example/greeter",))
    ]


def test_all_properties_of_a_kinesis_ingress_are_read(load: Load) -> None:
    found = kinesis(
        load,
        """\
  awsRegion: {type: specific, id: us-west-1}
  awsCredentials: {type: basic, accessKeyId: AKIA, secretAccessKey: hidden}
  startupPosition: {type: earliest}
  clientConfigProperties: [{SocketTimeout: 9999}, {MaxConnections: 15}]
""",
    )
    assert found.aws_region == SpecificRegion(type="specific", id="us-west-1")
    assert found.aws_credentials == BasicCredentials(
        type="basic", access_key_id="AKIA", secret_access_key=SecretStr("hidden")
    )
    assert found.startup_position.type == "earliest"
    assert merge_properties(found.client_config_properties) == {"SocketTimeout": "9999", "MaxConnections": "15"}
    assert "hidden" not in repr(found)


def test_a_kinesis_ingress_can_use_another_endpoint_and_a_profile(load: Load) -> None:
    found = kinesis(
        load,
        """\
  awsRegion: {type: custom-endpoint, endpoint: "http://localhost:4567", id: us-west-1}
  awsCredentials: {type: profile, profileName: john, profilePath: /path/to/config}
""",
    )
    assert found.aws_region == CustomEndpointRegion(
        type="custom-endpoint", endpoint="http://localhost:4567", id="us-west-1"
    )
    assert found.aws_credentials == ProfileCredentials(
        type="profile", profile_name="john", profile_path=Path("/path/to/config")
    )


def test_a_playground_ingress_needs_nothing(load: Load) -> None:
    kind = "kind: io.statefun.playground.v1/ingress\nspec: "
    assert spec(load, kind + "{}") == PlaygroundIngressSpec(port=8090)
    assert spec(load, kind + "{port: 0}") == PlaygroundIngressSpec(port=0)
    assert PlaygroundIngressSpec.id == "io.statefun.playground/ingress"


def test_all_properties_of_a_playground_ingress_are_read(load: Load) -> None:
    text = "kind: io.statefun.playground.v1/ingress\nspec: {port: 8080, forwardHeaders: true}\n"
    assert spec(load, text) == PlaygroundIngressSpec(port=8080, forward_headers=True)


def test_a_file_ingress_has_defaults_for_what_is_not_needed(load: Load, tmp_path: Path) -> None:
    assert spec(load, FILE) == FileIngressSpec(
        id="com.example/flights",
        path=tmp_path / "flights.csv",
        format="csv",
        targets=("com.example/aircraft",),
        key="tail",
        value_type="io.statefun.types/string",
        max_line_bytes=1 << 20,
        invalid_record_handling=InvalidRecordHandling(type="fail"),
    )


def test_all_properties_of_a_file_ingress_are_read(load: Load) -> None:
    text = FILE.replace("flights.csv", "/data/f.jsonl").replace("format: csv", "format: json-lines")
    text += "  valueType: com.example/Flight\n  maxLineBytes: 4 KiB\n  invalidRecordHandling: {type: skip}\n"
    assert spec(load, text) == FileIngressSpec(
        id="com.example/flights",
        path=Path("/data/f.jsonl"),
        format="json-lines",
        targets=("com.example/aircraft",),
        key="tail",
        value_type="com.example/Flight",
        max_line_bytes=4096,
        invalid_record_handling=InvalidRecordHandling(type="skip"),
    )


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        (KAFKA, "id: com.example/users", "id: users", "3:7 error spec.id"),
        (KAFKA, "  id: com.example/users\n", "", "3:3 error spec.id"),
        (KAFKA, "  address: kafka:9092\n", "", "3:3 error spec"),
        (KAFKA, "address: kafka:9092", "address: ''", "4:12 error spec.address"),
        (KAFKA, "topic: users", "topic: a b", "6:14 error spec.topics[0].topic"),
        (KAFKA, "topic: users", "topic: ..", "6:14 error spec.topics[0].topic"),
        (KAFKA, "      valueType: com.example/User\n", "", "6:7 error spec.topics[0].valueType"),
        (KAFKA, "valueType: com", "valuetype: com", "7:7 warning spec.topics[0].valuetype"),
        (KAFKA, "com.example/counter", "counter", "8:38 error spec.topics[0].targets[1]"),
        (KAFKA, "com.example/counter", "com.example/*", "8:38 error spec.topics[0].targets[1]"),
        (KAFKA, "[com.example/greeter, com.example/counter]", "[]", "8:16 error spec.topics[0].targets"),
        (KAFKA, "[com.example/greeter, com.example/counter]", "a/b", "8:16 error spec.topics[0].targets"),
        (FILE, "format: csv", "format: xml", "5:11 error spec.format"),
        (FILE, "path: flights.csv", "path: .", "4:9 error spec.path"),
        (FILE, "path: flights.csv", "path: [a]", "4:9 error spec.path"),
        (FILE, "  key: tail\n", "", "3:3 error spec.key"),
        (FILE, "key: tail", "key: tail\n  maxLineBytes: 0", "8:17 error spec.maxLineBytes"),
        (FILE, "key: tail", "key: tail\n  valueType: x", "8:14 error spec.valueType"),
        (FILE, "key: tail", "key: tail\n  targts: x", "8:3 warning spec.targts"),
        (KINESIS, "stream: users", "stream: ''", "5:15 error spec.streams[0].stream"),
        (KINESIS, "streams:\n", "streams: []\n  x:\n", "4:12 error spec.streams"),
    ],
)
def test_a_wrong_property_is_reported_where_it_stands(load: Load, text: str, old: str, new: str, expected: str) -> None:
    assert f"module0.yaml:{expected}" in spots(load(text.replace(old, new)))


@pytest.mark.parametrize(
    ("more", "path", "message"),
    [
        ("startupPosition: {type: first}", "startupPosition.type", "must be group-offsets or earliest or latest"),
        ("startupPosition: {}", "startupPosition.type", "is required"),
        ("startupPosition: latest", "startupPosition", "must be a mapping, not 'latest'"),
        ("startupPosition: {type: group-offsets}", "", "group-offsets needs a consumerGroupId"),
        ("startupPosition: {type: date}", "startupPosition.date", "is required"),
        ("startupPosition: {type: specific-offsets}", "startupPosition.offsets", "is required"),
        ("startupPosition: {type: specific-offsets, offsets: []}", "startupPosition.offsets", "must not be empty"),
        (
            "startupPosition: {type: specific-offsets, offsets: [users: 1]}",
            "startupPosition.offsets[0]",
            "must read <topic>/<partition number>: <offset>",
        ),
        (
            "startupPosition: {type: specific-offsets, offsets: [{a/0: 1, a/1: 2}]}",
            "startupPosition.offsets[0]",
            "must be one name with one value",
        ),
        (
            "startupPosition: {type: specific-offsets, offsets: [a/0: -1]}",
            "startupPosition.offsets[0].a/0",
            "must be greater than or equal to 0, not '-1'",
        ),
        ("autoOffsetResetPosition: newest", "autoOffsetResetPosition", "must be latest or earliest, not 'newest'"),
        ("forwardHeaders: maybe", "forwardHeaders", "must be true or false, not 'maybe'"),
        ("invalidRecordHandling: skip", "invalidRecordHandling", "must be a mapping, not 'skip'"),
        (
            "invalidRecordHandling: {type: drop}",
            "invalidRecordHandling.type",
            "must be dead-letter or skip or fail, not 'drop'",
        ),
        ("properties: {a: b}", "properties", "must be a list"),
        ("properties: [{a: b, c: d}]", "properties[0]", "must be one name with one value"),
        ("properties: [{a: [b]}]", "properties[0].a", "must be a text"),
        ("properties: [a]", "properties[0]", "must be a mapping, not 'a'"),
    ],
)
def test_a_wrong_value_of_a_kafka_ingress_says_what_is_right(load: Load, more: str, path: str, message: str) -> None:
    (problem,) = load(f"{KAFKA}  {more}\n").problems
    assert problem.path == f"spec.{path}".rstrip(".")
    assert message in problem.message
    assert problem.line == (9 if path else 3)


def test_a_topic_that_is_named_twice_is_an_error(load: Load) -> None:
    topic = KAFKA[KAFKA.index("    - topic") :]
    (problem,) = load(KAFKA + topic).problems
    assert problem.message == "names the topic users more than once"


def test_a_stream_that_is_named_twice_is_an_error(load: Load) -> None:
    stream = KINESIS[KINESIS.index("    - stream") :]
    (problem,) = load(KINESIS + stream).problems
    assert problem.message == "names the stream users more than once"


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ("awsRegion: {type: specific}", "awsRegion.id"),
        ("awsRegion: {type: custom-endpoint, id: x}", "awsRegion.endpoint"),
        ("awsRegion: {type: special}", "awsRegion.type"),
        ("awsCredentials: {type: basic, accessKeyId: x}", "awsCredentials.secretAccessKey"),
        ("awsCredentials: {type: profile}", "awsCredentials.profileName"),
        ("startupPosition: {type: group-offsets}", "startupPosition.type"),
    ],
)
def test_a_wrong_value_of_a_kinesis_ingress_is_an_error(load: Load, more: str, path: str) -> None:
    (problem,) = load(f"{KINESIS}  {more}\n").problems
    assert problem.path == f"spec.{path}"


def test_a_secret_never_shows_in_a_message(load: Load) -> None:
    text = KINESIS + "  awsCredentials: {type: basic, accessKeyId: [hidden], secretAccessKey: [hidden]}\n"
    shown = " ".join(str(problem) for problem in load(text).problems)
    assert "secretAccessKey" in shown
    assert "hidden" not in shown


def test_a_long_wrong_value_is_cut(load: Load) -> None:
    (problem,) = load(KAFKA + f"  forwardHeaders: {'x' * 500}\n").problems
    assert problem.message == f"must be true or false, not '{'x' * 60}'…"
