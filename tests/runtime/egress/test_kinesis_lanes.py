"""Of each partition key one record at a time is on its way to Kinesis."""

from collections import defaultdict
from random import Random

import pytest

from statefun_runtime.egress.kinesis_lanes import Lane, Lanes
from tests.runtime.egress.kinesis_items import item

MOST, BYTES = 500, 5 << 20


def lanes_of(*records: str) -> Lanes:
    """Records given as `<key><number>`."""
    lanes = Lanes()
    for record in records:
        lanes.add(item(record[0], record))
    return lanes


def texts(taken: list[Lane]) -> list[str]:
    return [lane.items[0].record.data.decode() for lane in taken]


def test_a_request_has_each_key_once() -> None:
    lanes = lanes_of("a1", "a2", "b1", "a3", "c1")
    assert texts(lanes.take(MOST, BYTES, 0)) == ["a1", "b1", "c1"]
    assert lanes.take(MOST, BYTES, 0) == []


def test_the_next_record_of_a_key_comes_when_the_one_before_is_settled() -> None:
    lanes = lanes_of("a1", "a2")
    [lane] = lanes.take(MOST, BYTES, 0)
    lanes.add(item("a", "a3"))
    assert lanes.take(MOST, BYTES, 0) == []
    assert lanes.settle(lane).record.data == b"a1"
    assert texts(lanes.take(MOST, BYTES, 0)) == ["a2"]


def test_a_request_is_bounded_by_records_and_by_bytes_with_keys() -> None:
    lanes = lanes_of("a1", "b1", "c1", "d1")
    assert texts(lanes.take(2, BYTES, 0)) == ["a1", "b1"]
    assert texts(lanes.take(MOST, 5, 0)) == ["c1"]
    assert texts(lanes.take(MOST, 1, 0)) == ["d1"]


def test_what_was_not_taken_waits_and_nothing_of_its_key_overtakes_it() -> None:
    lanes = lanes_of("a1", "a2", "b1")
    a, b = lanes.take(MOST, BYTES, 0)
    lanes.delay(a, 100)
    lanes.settle(b)
    lanes.add(item("b", "b2"))
    assert texts(lanes.take(MOST, BYTES, 100)) == ["b2"]
    due = lanes.next_attempt()
    assert lanes.is_delayed
    assert 100.05 <= due <= 100.1
    assert texts(lanes.take(MOST, BYTES, due)) == ["a1"]
    assert not lanes.is_delayed


def test_a_key_that_is_not_taken_again_waits_longer_until_one_was_taken() -> None:
    lanes, waits = lanes_of("a1", "a2"), list[float]()
    for _ in range(3):
        [lane] = lanes.take(MOST, BYTES, 1000)
        lanes.delay(lane, 0)
        waits.append(lanes.next_attempt())
    [lane] = lanes.take(MOST, BYTES, 1000)
    lanes.settle(lane)
    [lane] = lanes.take(MOST, BYTES, 1000)
    lanes.delay(lane, 0)
    waits.append(lanes.next_attempt())
    for wait, longest in zip(waits, (0.1, 0.2, 0.4, 0.1), strict=True):
        assert longest / 2 <= wait <= longest


def test_a_lane_that_is_ready_is_not_waited_for() -> None:
    lanes = lanes_of("a1", "b1")
    [a] = lanes.take(1, BYTES, 0)
    lanes.delay(a, 100)
    assert lanes.next_attempt() == 0


def test_a_request_that_failed_is_first_again() -> None:
    lanes = lanes_of("a1", "b1", "c1")
    lanes.put_back(lanes.take(2, BYTES, 0))
    assert texts(lanes.take(MOST, BYTES, 0)) == ["a1", "b1", "c1"]


def test_a_key_whose_records_are_settled_is_forgotten() -> None:
    lanes = lanes_of("a1")
    assert lanes
    [lane] = lanes.take(MOST, BYTES, 0)
    lanes.settle(lane)
    assert not lanes


@pytest.mark.parametrize("seed", range(20))
def test_every_record_is_settled_in_the_order_of_its_key_whatever_fails(seed: int) -> None:
    random, lanes, now = Random(seed), Lanes(), 0.0
    records = [f"{random.choice('abcd')}{number}" for number in range(80)]
    waiting, settled = list(reversed(records)), defaultdict[str, list[str]](list)
    while waiting or lanes:
        for _ in range(random.randrange(6)):
            if waiting:
                record = waiting.pop()
                lanes.add(item(record[0], record))
        taken = lanes.take(random.randrange(1, 5), BYTES, now)
        assert len({lane.key for lane in taken}) == len(taken)
        if random.random() < 0.2:
            lanes.put_back(taken)
        else:
            for lane in taken:
                if random.random() < 0.3:
                    lanes.delay(lane, now)
                else:
                    settled[lane.key].append(lanes.settle(lane).record.data.decode())
        now += random.choice((0, 0.1, 3))
    assert settled == {key: [record for record in records if record[0] == key] for key in settled}
    assert sum(map(len, settled.values())) == len(records)
