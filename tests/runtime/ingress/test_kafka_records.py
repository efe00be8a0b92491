"""Records of Kafka become messages."""

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.kafka_records import InvalidKafkaRecordError, TopicRecords, topic_records
from statefun_runtime.module.ingress_spec import KafkaIngressSpec

HEADERS = [("trace", b"1"), ("trace", b"\xff"), ("gone", None)]


def records(*topics: dict[str, object], **more: object) -> dict[str, TopicRecords]:
    named = [{"topic": "t", "valueType": "a/type", "targets": ["a/one", "a/two"], **topic} for topic in topics or ({},)]
    return topic_records(KafkaIngressSpec.model_validate({"id": "a/in", "address": "x", "topics": named, **more}))


def headers_of(payload: bytes) -> list[tuple[str, bytes | None]]:
    metadata = TypedValue.FromString(payload).metadata
    return [(header.key, header.value if header.has_value else None) for header in metadata]


def test_a_record_is_one_message_to_each_target_in_order() -> None:
    arrivals = records()["t"].arrivals("ключ".encode(), b"\xff value", HEADERS)
    assert [arrival.target for arrival in arrivals] == [("a/one", "ключ"), ("a/two", "ключ")]
    for arrival in arrivals:
        assert TypedValue.FromString(arrival.payload) == TypedValue(
            typename="a/type", has_value=True, value=b"\xff value"
        )


def test_headers_travel_with_the_value_when_said() -> None:
    [first, _] = records(forwardHeaders="true")["t"].arrivals(b"k", b"v", HEADERS)
    assert headers_of(first.payload) == HEADERS
    assert TypedValue.FromString(first.payload).value == b"v"


def test_an_empty_value_is_a_value() -> None:
    [first, _] = records()["t"].arrivals(b"k", b"")
    assert TypedValue.FromString(first.payload) == TypedValue(typename="a/type", has_value=True)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [(None, b"v", "no key"), (b"", b"v", "no key"), (b"k", None, "no value"), (b"\xff", b"v", "not UTF-8")],
)
def test_a_record_that_cannot_become_a_message_is_refused(key: bytes | None, value: bytes | None, reason: str) -> None:
    with pytest.raises(InvalidKafkaRecordError, match=reason):
        records()["t"].arrivals(key, value)


def test_a_refused_record_is_kept_with_its_key_value_and_headers() -> None:
    kept = records()["t"].kept(b"\xff", b"v", HEADERS)
    assert headers_of(kept) == [("kafka.key", b"\xff"), *HEADERS]
    typed = TypedValue.FromString(kept)
    assert (typed.typename, typed.has_value, typed.value) == ("a/type", True, b"v")


def test_a_refused_record_without_key_and_value_is_kept_so() -> None:
    kept = records()["t"].kept(None, None)
    assert TypedValue.FromString(kept) == TypedValue(typename="a/type")


def test_a_topic_decides_about_its_invalid_records_before_the_ingress() -> None:
    own: list[dict[str, object]] = [
        {"topic": name, "invalidRecordHandling": {"type": name}} for name in ("dead-letter", "fail")
    ]
    converted = records(*own, {"topic": "follows"}, invalidRecordHandling={"type": "skip"})
    assert [converted[name].handling for name in ("dead-letter", "fail", "follows")] == ["dead-letter", "fail", "skip"]


def test_without_a_word_an_invalid_record_becomes_a_dead_letter() -> None:
    assert records()["t"].handling == "dead-letter"
