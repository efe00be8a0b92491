"""The load: to which addresses its messages go."""

from itertools import islice

from benchmarks.load.adapters import LoadSpec, ids


def spec(keys: int, fill: int = 0) -> LoadSpec:
    return LoadSpec(id="test/load", target="test/function", count=10, keys=keys, fill=fill)


def test_the_first_messages_fill_each_address_once() -> None:
    assert list(islice(ids(spec(5, fill=5)), 5)) == ["0", "1", "2", "3", "4"]


def test_the_addresses_are_the_same_in_every_run() -> None:
    assert list(islice(ids(spec(1000)), 100)) == list(islice(ids(spec(1000)), 100))


def test_few_addresses_and_many_are_drawn_from_their_range_alone() -> None:
    for keys in (10, 1_000_000):
        drawn = {int(each) for each in islice(ids(spec(keys)), 1000)}
        assert min(drawn) >= 0
        assert max(drawn) < keys
        assert len(drawn) > keys // 2 or len(drawn) > 990
