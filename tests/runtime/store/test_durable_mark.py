"""The mark beside the store: whole at any moment, and never taken for what it is not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.errors import DamagedError
from statefun_runtime.store import durable_mark
from statefun_runtime.store.durable_mark import MARK_FILE, NOTHING, DurableMark, Mark

FILES = {"000004.log": 1234, "MANIFEST-000005": 77}


def test_the_newest_mark_is_read_back_and_the_file_does_not_grow(tmp_path: Path) -> None:
    (tmp_path / MARK_FILE).write_bytes(durable_mark.content_of(NOTHING))
    size = (tmp_path / MARK_FILE).stat().st_size
    mark = DurableMark(tmp_path, NOTHING)
    for number in (1, 7, 10**15, 10**15 + 1):
        mark.write(Mark(number, FILES))
        assert durable_mark.read(tmp_path) == Mark(number, FILES)
    mark.close()
    mark = DurableMark(tmp_path, Mark(10**15 + 1, FILES))
    mark.write(Mark(10**15 + 2, {}))
    mark.close()
    assert durable_mark.read(tmp_path) == Mark(10**15 + 2, {})
    assert (tmp_path / MARK_FILE).stat().st_size == size


def test_a_directory_without_a_mark_has_none(tmp_path: Path) -> None:
    assert durable_mark.read(tmp_path) is None


def test_of_too_many_files_the_newest_are_kept_and_a_line_stays_a_line(tmp_path: Path) -> None:
    files = {f"{number:06}.log": 10**12 for number in range(100)}
    content = durable_mark.content_of(Mark(10**18, files))
    assert len(content) == len(durable_mark.content_of(NOTHING))
    (tmp_path / MARK_FILE).write_bytes(content)
    kept = durable_mark.read(tmp_path)
    assert kept is not None
    assert list(kept.files) == sorted(files)[-20:]


@given(st.integers(1, 10**19), st.integers(0, 1023))
def test_a_write_that_was_cut_short_leaves_the_mark_before_it(
    tmp_path_factory: pytest.TempPathFactory, number: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("mark")
    before, after = durable_mark.content_of(Mark(number, FILES)), durable_mark.content_of(Mark(number + 1, {}))
    (path / MARK_FILE).write_bytes(after[:cut] + before[cut:])
    assert durable_mark.read(path) in (Mark(number, FILES), Mark(number + 1, {}))


@given(st.binary(max_size=80))
def test_anything_else_is_refused_and_the_error_says_what_to_do(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("mark")
    (path / MARK_FILE).write_bytes(content)
    with pytest.raises(DamagedError, match=r"DURABLE is damaged.*restore a savepoint"):
        durable_mark.read(path)
