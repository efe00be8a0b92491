"""Searches for the highest rate that a system keeps up with."""

from collections.abc import Callable


def highest_sustained(sustains: Callable[[int], bool], low: int, high: int, steps: int) -> int:
    """The highest rate found that is sustained, between `low` and `high`; 0 if not even `low` is.

    At most `steps` rates between the two are tried, each in the geometric middle of what is known: the last two known
    rates then differ by the `2 ** steps`th root of `high / low`.
    """
    if not sustains(low):
        return 0
    if sustains(high):
        return high
    for _ in range(steps):
        middle = round((low * high) ** 0.5)
        if middle in (low, high):
            break
        if sustains(middle):
            low = middle
        else:
            high = middle
    return low
