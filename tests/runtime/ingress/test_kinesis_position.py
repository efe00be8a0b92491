"""What is read next of a stream follows from its shards and its positions."""

import pytest

from statefun_runtime.ingress.kinesis_position import END, Begin, Place, StreamPosition, decode_positions
from statefun_runtime.ingress.kinesis_stream import begin_of
from statefun_runtime.kinesis.client import Shard
from statefun_runtime.module.ingress_spec import DateStartup, EarliestStartup, LatestStartup


def shard(name: str, *parents: str, is_open: bool = True) -> Shard:
    return Shard(name, parents, is_open, 0, 1)


SPLIT = [shard("old", is_open=False), shard("left", "old"), shard("right", "old")]
MERGED = [*SPLIT, shard("one", "left", "right")]


def position(begin: Begin | None = None, **places: Place) -> StreamPosition:
    return StreamPosition("s", begin, places)


def readable(found: StreamPosition, shards: list[Shard]) -> list[str]:
    return [each.id for each in found.readable(shards)]


def test_the_shards_of_a_split_are_read_when_the_old_one_was_read_to_its_end() -> None:
    assert readable(position(), SPLIT) == ["old"]
    assert readable(position(old=Place("5")), SPLIT) == ["old"]
    assert readable(position(old=END), SPLIT) == ["left", "right"]


def test_the_shard_of_a_merge_is_read_when_both_old_ones_were_read_to_their_ends() -> None:
    assert readable(position(old=END, left=END), MERGED) == ["right"]
    assert readable(position(old=END, left=END, right=END), MERGED) == ["one"]


def test_a_parent_that_is_gone_is_waited_for_no_more() -> None:
    assert readable(position(), SPLIT[1:]) == ["left", "right"]


def test_latest_passes_over_closed_shards_and_reads_their_open_children_at_once() -> None:
    begin = begin_of(LatestStartup(), SPLIT, 1000)
    assert begin == Begin(1000, frozenset({"left", "right"}), frozenset({"old"}))
    assert readable(position(begin), SPLIT) == ["left", "right"]
    assert position(begin).start("left") == {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1.0}


def test_earliest_begins_with_the_oldest_shard() -> None:
    begin = begin_of(EarliestStartup(type="earliest"), SPLIT, 1000)
    assert readable(position(begin), SPLIT) == ["old"]
    assert position(begin).start("old") == {"ShardIteratorType": "TRIM_HORIZON"}


def test_a_date_counts_for_all_shards_that_were_there() -> None:
    startup = DateStartup.model_validate({"type": "date", "date": "2024-02-01 04:15:00.500 +0000"})
    begin = begin_of(startup, SPLIT, 1000)
    assert begin == Begin(1706760900500, frozenset({"old", "left", "right"}), frozenset())


def test_a_shard_that_came_later_is_read_from_its_oldest_record() -> None:
    assert position(Begin(1000, frozenset({"a"}), frozenset())).start("b") == {"ShardIteratorType": "TRIM_HORIZON"}


def test_reading_goes_on_behind_a_record_or_within_an_aggregated_one() -> None:
    found = position(a=Place("7"), b=Place("7", 3))
    assert found.start("a") == {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": "7"}
    assert found.start("b") == {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": "7"}
    assert [found.taken("a", "8"), found.taken("b", "7"), found.taken("b", "8"), found.taken("c", "7")] == [0, 3, 0, 0]


@pytest.mark.parametrize("place", [Place("7"), Place("7", 3), END])
def test_a_place_is_read_back(place: Place) -> None:
    assert Place.decode(place.encode()) == place


def test_the_positions_of_an_ingress_are_told_apart_by_stream() -> None:
    begin = Begin(None, frozenset({"a"}), frozenset({"b"}))
    stored = {"s": begin.encode(), "s/a": Place("7").encode(), "t/a": END.encode()}
    assert decode_positions("s", stored) == position(begin, a=Place("7"))
    assert decode_positions("t", stored) == StreamPosition("t", None, {"a": END})
