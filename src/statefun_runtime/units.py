"""Durations and sizes as people write them in module files and settings."""

import math
import re
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

LONGEST_DURATION = 36_500 * 86_400_000
"""A hundred years in milliseconds: anything longer is a mistake, and sums of it would leave 64 bits."""

LARGEST_SIZE = 1 << 50
"""One PiB: anything larger is a mistake."""

_QUANTITY = re.compile(r"\s*([0-9]{1,19})\s*([^\s0-9]*)\s*")

# Flink's TimeUtils: the names are compared without case. Both code points that look like the micro sign are taken.
_MILLISECONDS: Mapping[str, Fraction] = MappingProxyType(
    {
        name: factor
        for names, factor in (
            ("d day days", Fraction(86_400_000)),
            ("h hour hours", Fraction(3_600_000)),
            ("m min minute minutes", Fraction(60_000)),
            ("s sec secs second seconds", Fraction(1000)),
            ("ms milli millis millisecond milliseconds", Fraction(1)),
            ("\N{MICRO SIGN}s \N{GREEK SMALL LETTER MU}s micro micros microsecond microseconds", Fraction(1, 1000)),
            ("ns nano nanos nanosecond nanoseconds", Fraction(1, 1_000_000)),
        )
        for name in names.split()
    }
)

_BYTES: Mapping[str, int] = MappingProxyType(
    {"b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
)


def parse_duration(text: str) -> int:
    """The milliseconds of a whole number with an optional unit: `10 s`, `2min`, `500` (milliseconds).

    Units: d day days, h hour hours, m min minute minutes, s sec secs second seconds, ms milli millis millisecond
    milliseconds, µs micro micros microsecond microseconds, ns nano nanos nanosecond nanoseconds; case does not matter.
    A part of a millisecond counts as a whole one, so that a short time never becomes none.

    Raises:
        ValueError: The text is no duration, or one longer than a hundred years.
    """
    number, unit = _quantity(text, "a duration such as 500 ms, 10 s or 2 min")
    factor = _MILLISECONDS.get(unit or "ms")
    if factor is None:
        raise ValueError(f"{unit!r} is no unit of time; the units are d, h, min, s, ms, µs and ns")
    milliseconds = math.ceil(number * factor)
    if milliseconds > LONGEST_DURATION:
        raise ValueError("is longer than a hundred years")
    return milliseconds


def parse_size(text: str) -> int:
    """The bytes of a whole number with an optional unit: `512 KiB`, `32MiB`, `1 GB`, `4096` (bytes).

    Raises:
        ValueError: The text is no size, or one larger than a PiB.
    """
    number, unit = _quantity(text, "a size such as 4096, 512 KiB or 32 MiB")
    factor = _BYTES.get(unit or "b")
    if factor is None:
        raise ValueError(f"{unit!r} is no unit of size; the units are B, kB, MB, GB, KiB, MiB and GiB")
    if number * factor > LARGEST_SIZE:
        raise ValueError("is larger than a PiB")
    return number * factor


def format_duration(milliseconds: int) -> str:
    """The shortest way to write a duration that `parse_duration` reads back: `2 min`, `1500 ms`, `0 ms`."""
    for unit, factor in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % factor == 0:
            return f"{milliseconds // factor} {unit}"
    return f"{milliseconds} ms"


def format_size(size: int) -> str:
    """The shortest way to write a size that `parse_size` reads back: `32 MiB`, `1500 B`."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size and size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} B"


def _quantity(text: str, expected: str) -> tuple[int, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"is not {expected}")
    return int(match[1]), match[2].lower()
