"""Records of Kinesis become messages, in steps."""

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.kinesis_position import Place
from statefun_runtime.ingress.kinesis_records import KinesisRecords, Step
from statefun_runtime.kinesis.client import Shard, StoredRecord
from statefun_runtime.module.ingress_spec import KinesisStream
from tests.runtime.kinesis.aggregated import aggregated

LAST_HASH = (1 << 128) - 1
SHARD = Shard("shard", (), True, 0, LAST_HASH)
STREAM = KinesisStream(stream="s", value_type="a/type", targets=("a/one", "a/two"))


def steps(*records: StoredRecord, taken: int = 0, shard: Shard = SHARD) -> list[Step]:
    return list(KinesisRecords(STREAM).steps(shard, records, taken))


def values(found: list[Step]) -> list[str]:
    arrivals = [arrival for step in found for arrival in step.arrivals if arrival.target[0] == "a/one"]
    return [TypedValue.FromString(arrival.payload).value.decode() for arrival in arrivals]


def test_a_record_is_one_message_to_each_target_in_order() -> None:
    [step] = steps(StoredRecord("7", "ключ", b"\xff value"))
    assert [arrival.target for arrival in step.arrivals] == [("a/one", "ключ"), ("a/two", "ключ")]
    for arrival in step.arrivals:
        assert TypedValue.FromString(arrival.payload) == TypedValue(
            typename="a/type", has_value=True, value=b"\xff value"
        )
    assert (step.place, step.records, step.foreign) == (Place("7"), 1, 0)


def test_the_user_records_of_an_aggregated_record_are_records() -> None:
    found = steps(StoredRecord("1", "a", b"0"), StoredRecord("2", "a", aggregated([("a", b"1"), ("b", b"2")])))
    assert values(found) == ["0", "1", "2"]
    assert [arrival.target[1] for step in found for arrival in step.arrivals] == ["a", "a", "a", "a", "b", "b"]
    assert (found[-1].place, found[-1].records) == (Place("2"), 3)


def test_many_records_are_handed_in_by_steps_also_within_an_aggregated_one() -> None:
    users = [("k", b"%d" % number) for number in range(1100)]
    found = steps(StoredRecord("1", "k", aggregated(users)), StoredRecord("2", "k", b"last"))
    assert [step.place for step in found] == [Place("1", 500), Place("1", 1000), Place("2")]
    assert [step.records for step in found] == [500, 500, 101]
    assert values(found) == [*map(str, range(1100)), "last"]


def test_what_was_taken_of_an_aggregated_record_does_not_come_again() -> None:
    users = aggregated([("k", b"1"), ("k", b"2"), ("k", b"3")])
    assert values(steps(StoredRecord("1", "k", users), StoredRecord("2", "k", users), taken=2)) == ["3", "1", "2", "3"]


def test_user_records_of_another_shards_range_are_counted_and_left_out() -> None:
    half = SHARD._replace(first_hash=0, last_hash=LAST_HASH // 2)
    [step] = steps(StoredRecord("1", "a", aggregated([("a", b"1"), ("b", b"2")], [1, LAST_HASH])), shard=half)
    assert (values([step]), step.records, step.foreign, step.place) == (["1"], 1, 1, Place("1"))


def test_nothing_makes_no_step() -> None:
    assert steps() == []
