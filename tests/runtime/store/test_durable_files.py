"""The lengths of logs and lists of files that must be there, and what is missing of them."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.errors import DamagedError
from statefun_runtime.interfaces import Changes, Table
from statefun_runtime.store.log_records import end_of_records
from statefun_runtime.store.rocksdb import RocksDBStore

BLOCK = 32768


def record(content: bytes, kind: int = 1) -> bytes:
    return bytes(4) + len(content).to_bytes(2, "little") + bytes([kind]) + content


def log_of(contents: list[bytes]) -> tuple[bytes, list[int]]:
    """A log of records of one part each, and where each ends."""
    log, ends = bytearray(), []
    for content in contents:
        left = BLOCK - len(log) % BLOCK
        if left < len(content) + 7:
            # As much of it as fits, or of the rest of the block nothing.
            log += record(b"x" * (left - 7), 2) if left >= 7 else bytes(left)
        log += record(content)
        ends.append(len(log))
    return bytes(log), ends


def end_of(content: bytes, path: Path, start: int = 0) -> int:
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return end_of_records(descriptor, start)
    finally:
        os.close(descriptor)


@given(st.lists(st.integers(0, 9000), max_size=20), st.data())
def test_the_last_whole_record_is_found_wherever_the_log_is_cut(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    log, ends = log_of([bytes(size) for size in sizes])
    assert end_of(log, path) == len(log)
    for start in ends:
        assert end_of(log, path, start) == len(log)
    cut = data.draw(st.integers(0, len(log)))
    before = max((end for end in ends if end <= cut), default=0)
    assert before <= end_of(log[:cut], path) <= cut


@pytest.mark.parametrize("kind", [0, 5, 8, 11])
def test_a_record_that_ends_a_log_in_silence_is_the_end(tmp_path: Path, kind: int) -> None:
    log = record(b"first") + record(b"second", kind) + record(b"third")
    assert end_of(log, tmp_path / "log") == 12


def changes_of(number: int, *tables: Table, size: int = 10) -> Changes:
    return Changes(puts=[(table, b"%d" % number, bytes(size)) for table in tables])


def copy(path: Path) -> Path:
    return Path(shutil.copytree(path, path.parent / "copy"))


def test_a_list_of_files_that_lost_its_end_is_refused_though_no_newer_change_is_missing(tmp_path: Path) -> None:
    # Every table is written to a file of its own at the end; the last of them holds older changes only.
    store = RocksDBStore(tmp_path / "data")
    store.commit(changes_of(1, *reversed(Table)))
    store.close()
    [files] = (tmp_path / "data" / "store").glob("MANIFEST-*")
    os.truncate(files, files.stat().st_size - 1)
    with pytest.raises(DamagedError, match=r"MANIFEST-\d+ \d+ bytes were durable.*restore a savepoint"):
        RocksDBStore(tmp_path / "data")


@pytest.mark.parametrize("read_only", [False, True])
def test_a_list_of_files_on_which_rocksdb_would_never_end_is_refused(tmp_path: Path, read_only: bool) -> None:
    store = RocksDBStore(tmp_path)
    store.commit(changes_of(1, Table.META))
    store.close()
    [files] = (tmp_path / "store").glob("MANIFEST-*")
    content = files.read_bytes()
    second = end_of(record(b""), tmp_path / "log") + int.from_bytes(content[4:6], "little")
    files.write_bytes(content[: second + 6] + bytes([content[second + 6] ^ 4]) + content[second + 7 :])
    with pytest.raises(
        DamagedError, match=rf"MANIFEST-\d+ \d+ bytes were durable, and it can be read up to byte {second}"
    ):
        RocksDBStore(tmp_path, read_only=read_only)


@pytest.mark.parametrize("damage", ["removed", "cut", "ended"])
def test_a_loss_in_the_first_of_two_logs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    monkeypatch.setattr("statefun_runtime.store.database.MEMTABLE_BYTES", 64 * 1024)
    store = RocksDBStore(tmp_path / "data")
    store.commit(changes_of(1, Table.META))
    logs: list[Path] = []
    number = 1
    while len(logs) < 2:
        number += 1
        store.commit(changes_of(number, Table.STATE, size=10_000))
        logs = sorted(log for log in (tmp_path / "data" / "store").glob("*.log") if log.stat().st_size)
    data = copy(tmp_path / "data")
    store.close()
    first = data / "store" / logs[0].name
    content = first.read_bytes()
    if damage == "removed":
        first.unlink()
    elif damage == "cut":
        first.write_bytes(content[:-1])
    else:
        first.write_bytes(content[:6] + bytes([content[6] ^ 4]) + content[7:])
    with pytest.raises(DamagedError, match=rf"{first.name}.*restore a savepoint"):
        RocksDBStore(data)


def test_the_mark_follows_the_store_through_many_logs_and_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statefun_runtime.store.database.MEMTABLE_BYTES", 64 * 1024)
    for life in range(3):
        store = RocksDBStore(tmp_path)
        for number in range(30):
            store.commit(changes_of(30 * life + number, Table.STATE, Table.MAILBOX, size=3000))
        store.close()
    store = RocksDBStore(tmp_path)
    assert len(list(store.scan(Table.STATE))) == 90
    store.close()
