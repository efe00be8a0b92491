import pytest

from statefun_runtime.egress.poll import Poll, parse_poll


def test_without_parameters_a_poll_begins_at_the_oldest_record_and_waits() -> None:
    assert parse_poll({}) == Poll("", 30.0, 1000)


def test_each_parameter_is_taken() -> None:
    assert parse_poll({"after": "l-1", "wait": "0.5", "max": "7"}) == Poll("l-1", 0.5, 7)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"max": "0"}, "1 to 10000"),
        ({"max": "10001"}, "1 to 10000"),
        ({"max": "1e3"}, "1 to 10000"),
        ({"max": "٣"}, "1 to 10000"),
        ({"max": "9" * 5000}, "1 to 10000"),
        ({"wait": "-1"}, "0 to 60"),
        ({"wait": "61"}, "0 to 60"),
        ({"wait": "nan"}, "0 to 60"),
        ({"wait": "soon"}, "0 to 60"),
        ({"from": "l-1"}, "'from' is no parameter; there are after, wait and max"),
    ],
)
def test_a_wrong_parameter_is_refused_with_the_reason(query: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_poll(query)
