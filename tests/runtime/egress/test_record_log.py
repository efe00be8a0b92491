import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from statefun_runtime.egress.record_log import LogPosition, RecordLog, Retention
from statefun_runtime.egress.segment import list_segments
from statefun_runtime.file_position import ForeignFileError

from .records import texts

DAY = Retention(86_400, 1 << 20)


@contextmanager
def opened(
    directory: Path, position: LogPosition | None = None, retention: Retention = DAY, lineage: str = "l"
) -> Iterator[RecordLog]:
    log = RecordLog(directory / lineage, lineage, position, retention)
    try:
        yield log
    finally:
        log.close()


def read(log: RecordLog, after: int | None = None) -> dict[int, str]:
    """All records behind `after`, by number."""
    found: dict[int, str] = {}
    at = log.view.begin if after is None else after
    while at < log.view.last:
        lines = log.view.read(at, 1000, 1 << 20)
        assert lines.number
        for line in map(json.loads, lines.content.splitlines()):
            at += 1
            assert line["cursor"] == f"{log.lineage}-{at}"
            found[at] = line["value"]
    return found


def test_records_are_numbered_over_epochs_and_read_from_any_of_them_on(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        assert log.is_new
        assert read(log) == {}
        assert log.append([texts("a", "b"), texts(), texts("c")]) == 3
        assert log.append([texts("d")]) == 1
        assert read(log) == {1: "a", 2: "b", 3: "c", 4: "d"}
        assert read(log, 2) == {3: "c", 4: "d"}
        assert read(log, 4) == {}


def test_an_opened_log_goes_on_where_it_was(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([texts("a", "b")])
    with opened(tmp_path, log.position) as log:
        assert not log.is_new
        log.append([texts("c")])
        assert read(log) == {1: "a", 2: "b", 3: "c"}


def test_a_log_is_cut_to_its_position_so_that_what_comes_again_has_its_numbers(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([texts("a")])
        position = log.position
        log.append([texts("b", "c")])
        before = read(log)
    with opened(tmp_path, position) as log:
        assert read(log) == {1: "a"}
        log.append([texts("b", "c")])
        assert read(log) == before


def test_segments_that_were_begun_behind_the_position_are_taken_back(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(86_400, 16 * 60)) as log:
        position = log.position
        for text in "abcd":
            log.append([texts(text)])
            position = log.position if text == "b" else position
            log.trim()
        before = read(log)
        assert len(list_segments(tmp_path / "l")) == 5
    with opened(tmp_path, position) as log:
        assert read(log) == {1: "a", 2: "b"}
        log.append([texts("c"), texts("d")])
        assert read(log) == before


def test_the_oldest_segments_go_when_there_is_too_much(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(86_400, 2000)) as log:
        for number in range(1, 101):
            log.append([texts(str(number))])
            log.trim()
        kept = read(log)
        assert sorted(kept) == list(range(log.view.begin + 1, 101))
        assert all(kept[number] == str(number) for number in kept)
        files = list_segments(tmp_path / "l")
        assert tuple(files) == log.view.segments
        assert 1000 < sum(segment.size for segment in files) <= 2000


def test_segments_go_when_they_are_too_old(tmp_path: Path) -> None:
    time = 1_000_000.0
    log = RecordLog(tmp_path, "l", None, Retention(160, 1 << 20), lambda: time)
    log.append([texts("a")])
    log.trim()
    assert len(log.view.segments) == 1
    time += 10
    log.trim()
    os.utime(log.view.segments[0].path, (time, time))
    log.append([texts("b")])
    log.trim()
    assert read(log) == {1: "a", 2: "b"}
    time += 161
    log.trim()
    assert read(log) == {2: "b"}
    log.close()


def test_an_idle_log_forgets_everything_in_the_end_and_keeps_counting(tmp_path: Path) -> None:
    time = 1_000_000.0
    log = RecordLog(tmp_path, "l", None, Retention(160, 1 << 20), lambda: time)
    log.append([texts("a")])
    os.utime(log.view.segments[0].path, (time, time))
    for _ in range(2):
        time += 161
        log.trim()
    assert read(log) == {}
    log.append([texts("b")])
    assert read(log) == {2: "b"}
    log.close()


def test_a_reader_of_a_forgotten_segment_finds_it_gone(tmp_path: Path) -> None:
    with opened(tmp_path, retention=Retention(86_400, 16)) as log:
        log.append([texts("a")])
        view = log.view
        log.trim()
        with pytest.raises(FileNotFoundError):
            view.read(0, 1, 100)
        assert log.view.begin == 1


def test_another_lineage_begins_a_log_of_its_own_and_goes_on_with_the_numbers(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([texts("a", "b")])
    with opened(tmp_path, log.position, lineage="m") as restored:
        assert restored.is_new
        restored.append([texts("c")])
        assert read(restored) == {3: "c"}


def test_a_log_whose_files_are_all_gone_begins_anew_with_the_next_number(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([texts("a")])
    log.view.segments[0].path.unlink()
    with opened(tmp_path, log.position) as again:
        assert again.is_new
        again.append([texts("b")])
        assert read(again) == {2: "b"}


def test_a_position_whose_segment_was_forgotten_since_begins_anew_behind_it(tmp_path: Path) -> None:
    small = Retention(86_400, 16)
    with opened(tmp_path, retention=small) as log:
        log.append([texts("a")])
        position = log.position
        for text in "bc":
            log.append([texts(text)])
            log.trim()
    with opened(tmp_path, position, small) as again:
        assert read(again) == {}
        again.append([texts("b", "c")])
        assert read(again) == {2: "b", 3: "c"}


def test_a_new_log_does_not_take_files_that_it_does_not_know(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([texts("a")])
    with pytest.raises(ForeignFileError, match="holds records that the store does not know of"):
        RecordLog(tmp_path / "l", "l", None, DAY)


def test_a_start_that_wrote_nothing_can_be_repeated(tmp_path: Path) -> None:
    for _ in range(2):
        with opened(tmp_path) as log:
            assert log.is_new


@pytest.mark.parametrize("size", [0, 10])
def test_a_file_that_lost_records_is_refused(tmp_path: Path, size: int) -> None:
    with opened(tmp_path) as log:
        log.append([texts("a")])
    os.truncate(log.view.segments[0].path, size)
    with pytest.raises(ForeignFileError, match=r"does not hold the \d+ bytes it held. Put it back, or move"):
        RecordLog(tmp_path / "l", "l", log.position, DAY)


def test_a_file_that_was_replaced_while_it_was_written_is_an_error(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.append([texts("a")])
        path = log.view.segments[0].path
        path.rename(path.with_name("moved"))
        path.write_bytes(path.with_name("moved").read_bytes())
        with pytest.raises(ForeignFileError, match="was moved or replaced"):
            log.append([texts("b")])


@pytest.mark.parametrize(
    "encoded", [b"{}", b"null", b'{"version": 2}', b'{"version": 1, "lineage": "l", "number": "1"}']
)
def test_another_position_is_refused(encoded: bytes) -> None:
    with pytest.raises(ValueError, match="is not a position in a record log"):
        LogPosition.decode(encoded)
