"""Records of Kafka become messages."""

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.kafka_records import InvalidKafkaRecordError, KafkaRecords
from statefun_runtime.module.ingress_spec import KafkaTopic
from statefun_runtime.module.spec import InvalidRecordHandling

FAIL, SKIP = InvalidRecordHandling(type="fail"), InvalidRecordHandling(type="skip")


def topic(name: str = "t", handling: InvalidRecordHandling | None = None) -> KafkaTopic:
    return KafkaTopic(topic=name, value_type="a/type", targets=("a/one", "a/two"), invalid_record_handling=handling)


def test_a_record_is_one_message_to_each_target_in_order() -> None:
    arrivals = KafkaRecords([topic()], None).arrivals("t", "ключ".encode(), b"\xff value")
    assert [arrival.target for arrival in arrivals] == [("a/one", "ключ"), ("a/two", "ключ")]
    for arrival in arrivals:
        assert TypedValue.FromString(arrival.payload) == TypedValue(
            typename="a/type", has_value=True, value=b"\xff value"
        )


def test_an_empty_value_is_a_value() -> None:
    [first, _] = KafkaRecords([topic()], None).arrivals("t", b"k", b"")
    assert TypedValue.FromString(first.payload) == TypedValue(typename="a/type", has_value=True)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [(None, b"v", "no key"), (b"", b"v", "no key"), (b"k", None, "no value"), (b"\xff", b"v", "not UTF-8")],
)
def test_a_record_that_cannot_become_a_message_is_refused(key: bytes | None, value: bytes | None, reason: str) -> None:
    with pytest.raises(InvalidKafkaRecordError, match=reason):
        KafkaRecords([topic()], None).arrivals("t", key, value)


def test_a_topic_decides_about_its_invalid_records_before_the_ingress() -> None:
    records = KafkaRecords([topic("skips", SKIP), topic("fails", FAIL), topic("follows")], SKIP)
    assert [records.skips_invalid(name) for name in ("skips", "fails", "follows")] == [True, False, True]


def test_without_a_word_an_invalid_record_is_not_passed_over() -> None:
    assert not KafkaRecords([topic()], None).skips_invalid("t")
