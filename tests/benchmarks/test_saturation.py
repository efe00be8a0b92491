"""The search for the highest rate that is kept up with."""

import pytest

from benchmarks.saturation import highest_sustained


@pytest.mark.parametrize("limit", [1_000, 1_001, 7_300, 40_000, 99_999])
def test_the_highest_rate_is_found_to_within_the_last_step(limit: int) -> None:
    found = highest_sustained(lambda rate: rate <= limit, 1_000, 100_000, 8)
    assert found <= limit < found * 100 ** (1 / 2**8) + 1


def test_a_system_that_keeps_up_with_the_highest_rate_is_not_searched() -> None:
    tried: list[int] = []

    def sustains(rate: int) -> bool:
        tried.append(rate)
        return True

    assert highest_sustained(sustains, 10, 1000, 5) == 1000
    assert tried == [10, 1000]


def test_a_system_that_does_not_keep_up_with_the_lowest_rate_sustains_nothing() -> None:
    assert highest_sustained(lambda rate: False, 10, 1000, 5) == 0


def test_no_more_rates_are_tried_than_steps_allow() -> None:
    tried: list[int] = []

    def sustains(rate: int) -> bool:
        tried.append(rate)
        return rate < 50

    highest_sustained(sustains, 10, 1000, 3)
    assert len(tried) == 2 + 3
