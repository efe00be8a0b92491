"""Where reading a partition begins."""

import pytest

from statefun_runtime.ingress.kafka_start import Edge, Moment, Start, start_of
from statefun_runtime.module.ingress_spec import KafkaIngressSpec

TOPIC = {"topic": "t", "valueType": "a/type", "targets": ["a/one"]}


def spec(startup: dict[str, object]) -> KafkaIngressSpec:
    return KafkaIngressSpec.model_validate(
        {"id": "a/in", "address": "x:1", "consumerGroupId": "g", "topics": [TOPIC], "startupPosition": startup}
    )


@pytest.mark.parametrize(
    ("startup", "start"),
    [
        ({"type": "latest"}, Edge.LATEST),
        ({"type": "earliest"}, Edge.EARLIEST),
        ({"type": "group-offsets"}, Edge.GROUP),
        ({"type": "specific-offsets", "offsets": [{"t/1": 7}]}, 7),
        ({"type": "specific-offsets", "offsets": [{"t/0": 7}]}, Edge.GROUP),
        ({"type": "date", "date": "1970-01-01 01:00:01.500 +0100"}, Moment(1500)),
    ],
)
def test_a_partition_begins_where_the_module_says(startup: dict[str, object], start: Start) -> None:
    assert start_of(spec(startup), "t", 1, found_later=False) == start


@pytest.mark.parametrize(("reset", "edge"), [("latest", Edge.LATEST), ("earliest", Edge.EARLIEST)])
def test_without_a_word_the_group_decides_and_without_a_group_the_reset_position(reset: str, edge: Edge) -> None:
    given = {"id": "a/in", "address": "x:1", "topics": [TOPIC], "autoOffsetResetPosition": reset}
    assert start_of(KafkaIngressSpec.model_validate(given), "t", 1, found_later=False) is edge
    grouped = KafkaIngressSpec.model_validate({**given, "consumerGroupId": "g"})
    assert start_of(grouped, "t", 1, found_later=False) is Edge.GROUP


def test_a_partition_that_was_added_later_begins_at_its_oldest_record() -> None:
    assert start_of(spec({"type": "latest"}), "t", 1, found_later=True) is Edge.EARLIEST
