import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.units import format_duration, format_size, parse_duration, parse_size

UNITS = {
    86_400_000: "d day days D Days",
    3_600_000: "h hour hours H",
    60_000: "m min minute minutes Min",
    1000: "s sec secs second seconds S",
    1: "ms milli millis millisecond milliseconds MS",
}


@pytest.mark.parametrize(
    ("unit", "factor"), [(unit, factor) for factor, units in UNITS.items() for unit in units.split()]
)
@pytest.mark.parametrize("space", ["", " ", "  "])
def test_every_unit_of_time_is_read_in_any_case_with_or_without_space(unit: str, factor: int, space: str) -> None:
    assert parse_duration(f"3{space}{unit}") == 3 * factor


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("500", 500),
        (" 7 ", 7),
        ("0", 0),
        ("2000 µs", 2),
        ("2000 μs", 2),
        ("2000 micro", 2),
        ("2000micros", 2),
        ("2000 microsecond", 2),
        ("2000 microseconds", 2),
        ("3000000 ns", 3),
        ("3000000 nano", 3),
        ("3000000 nanos", 3),
        ("3000000 nanosecond", 3),
        ("3000000 nanoseconds", 3),
        ("1 ns", 1),
        ("1001 µs", 2),
        ("0 ns", 0),
        ("36500 d", 36_500 * 86_400_000),
    ],
)
def test_a_number_without_unit_is_milliseconds_and_parts_of_one_count_as_one(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a duration"),
        ("s", "is not a duration"),
        ("-1 s", "is not a duration"),
        ("1.5 s", "is not a duration"),
        ("1 s 2", "is not a duration"),
        ("PT5S", "is not a duration"),
        ("٣ s", "is not a duration"),
        ("99999999999999999999", "is not a duration"),
        ("5 parsec", "'parsec' is no unit of time"),
        ("5 us", "'us' is no unit of time"),
        ("36501 d", "longer than a hundred years"),
        ("9999999999999999999 d", "longer than a hundred years"),
    ],
)
def test_what_is_no_duration_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("4096 B", 4096),
        ("1 kB", 1000),
        ("2MB", 2_000_000),
        ("1 GB", 10**9),
        ("512 KiB", 512 * 1024),
        ("32MiB", 32 * 1024**2),
        ("1 gib", 1024**3),
    ],
)
def test_sizes_are_read_with_decimal_and_binary_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "message"),
    [("x", "is not a size"), ("1 M", "'m' is no unit of size"), ("2000000 GiB", "larger than a PiB")],
)
def test_what_is_no_size_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_size(text)


@given(st.integers(0, 36_500 * 86_400_000))
def test_a_formatted_duration_is_read_back_as_it_was(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@given(st.integers(0, 1 << 50))
def test_a_formatted_size_is_read_back_as_it_was(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.text())
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    try:
        assert parse_duration(text) >= 0
    except ValueError as wrong:
        assert str(wrong)  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0 ms"), (20, "20 ms"), (1500, "1500 ms"), (60_000, "1 min"), (172_800_000, "2 d")]
)
def test_durations_are_written_in_their_largest_whole_unit(milliseconds: int, text: str) -> None:
    assert format_duration(milliseconds) == text
