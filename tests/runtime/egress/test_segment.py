from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.egress.segment import Segment, list_segments, read_lines, segment_path


def write(directory: Path, first: int, lines: list[bytes], rest: bytes = b"") -> Segment:
    path = segment_path(directory, first)
    content = b"".join(lines)
    path.write_bytes(content + rest)
    return Segment(path, first, len(content))


def line(number: int, size: int = 0) -> bytes:
    return f'{{"cursor":"l-{number}","value":"{"x" * size}"}}\n'.encode()


@pytest.fixture(scope="module", name="directory")
def shared_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("segments")


@given(
    sizes=st.lists(st.integers(0, 40) | st.sampled_from([4000, 4096, 9000]), min_size=1, max_size=20),
    first=st.integers(1, 10**6),
    at=st.integers(0, 19),
    most=st.integers(1, 25),
    most_bytes=st.integers(1, 20_000),
)
def test_lines_are_found_by_their_numbers(
    directory: Path, sizes: list[int], first: int, at: int, most: int, most_bytes: int
) -> None:
    lines = [line(number, size) for number, size in enumerate(sizes, first)]
    segment = write(directory, first, lines, rest=b'{"cursor":"l-')
    at = min(at, len(lines) - 1)
    found = read_lines(segment, first + at, most, most_bytes)
    segment.path.unlink()
    assert 1 <= found.number <= most
    assert found.content == b"".join(lines[at : at + found.number])
    assert found.number == 1 or len(found.content) <= most_bytes
    behind = at + found.number
    assert (
        found.number == most
        or behind == len(lines)
        or found.number == 1
        or len(found.content) + len(lines[behind]) > most_bytes
    )


def test_a_file_that_was_changed_is_an_error_and_no_other_record(tmp_path: Path) -> None:
    segment = write(tmp_path, 1, [line(1), line(3)])
    with pytest.raises(ValueError, match="has no record 2; it was changed"):
        read_lines(segment, 2, 1, 100)
    with pytest.raises(ValueError, match="has no record at byte 0"):
        read_lines(write(tmp_path, 1, [b"1,2\n"]), 1, 1, 100)


def test_segments_are_listed_in_order_and_other_files_are_none(tmp_path: Path) -> None:
    assert list_segments(tmp_path / "gone") == []
    segments = [write(tmp_path, first, [line(first)]) for first in (10, 2, 1)]
    (tmp_path / "1.jsonl").touch()
    (tmp_path / "notes").touch()
    assert list_segments(tmp_path) == segments[::-1]
