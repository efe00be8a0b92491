"""What RocksDB promises beyond the contract: it survives kills, has one owner, and refuses what is damaged."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

import pytest
from rocksdict import Rdict

from statefun_runtime.errors import DamagedError, FormatError, StoreError
from statefun_runtime.interfaces import Changes, Table
from statefun_runtime.store import database, durable_files, durable_mark, rocksdb
from statefun_runtime.store.database import open_database
from statefun_runtime.store.rocksdb import RocksDBStore

from . import committing
from .committing import changes_of, last_epoch


def start(data: Path, *arguments: int) -> subprocess.Popen[str]:
    command = [sys.executable, committing.__file__, str(data), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": "src:."})


def run(data: Path, *arguments: int) -> list[str]:
    """Let a process commit until it kills itself; the lines it printed."""
    process = start(data, *arguments)
    lines = process.communicate(timeout=30)[0].splitlines()
    assert process.returncode < 0
    return lines


def epochs(data: Path) -> int:
    store = RocksDBStore(data)
    try:
        return last_epoch(store)
    finally:
        store.close()


@pytest.mark.slow
def test_after_a_kill_every_acknowledged_epoch_is_there_and_none_is_there_by_half(tmp_path: Path) -> None:
    random, last = Random(1), 0
    for _ in range(6):
        process = start(tmp_path)
        assert process.stdout is not None
        for _ in range(random.randint(1, 40)):
            acknowledged = int(process.stdout.readline())
        process.kill()
        rest = process.communicate()[0].splitlines()
        acknowledged = int(rest[-1]) if rest else acknowledged
        found = epochs(tmp_path)
        assert found in {acknowledged, acknowledged + 1}
        assert found > last
        last = found


# ------------------------------------------------------------------------------------------------------------- readers


def test_a_directory_can_be_opened_again_in_the_same_process_whatever_was_read_of_it(tmp_path: Path) -> None:
    for number in range(1, 4):
        store = RocksDBStore(tmp_path, lock_timeout=0)
        store.commit(changes_of(number))
        finished, unfinished = store.scan(Table.STATE), store.scan(Table.STATE)
        assert len(list(finished)) == 20
        next(unfinished)
        store.close()
        with pytest.raises(StoreError, match="closed during a scan"):
            next(unfinished)
    assert epochs(tmp_path) == 3


def test_a_reader_opens_the_store_beside_the_live_owner_and_sees_what_was_durable_when_it_opened(
    tmp_path: Path,
) -> None:
    owner = RocksDBStore(tmp_path)
    owner.commit(changes_of(1))
    reader = RocksDBStore(tmp_path, read_only=True)
    owner.commit(changes_of(2))
    assert last_epoch(reader) == 1
    later = RocksDBStore(tmp_path, read_only=True)
    assert last_epoch(later) == 2
    for store in (reader, later, owner):
        store.close()


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    RocksDBStore(tmp_path).close()
    reader = RocksDBStore(tmp_path, read_only=True)
    with pytest.raises(StoreError, match="was opened to read only"):
        reader.commit(changes_of(1))
    reader.close()


def test_a_reader_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a data directory of this runtime"):
        RocksDBStore(tmp_path / "data", read_only=True)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------------------- formats and damages


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_format_is_refused(tmp_path: Path, read_only: bool) -> None:
    RocksDBStore(tmp_path).close()
    (tmp_path / "FORMAT").write_text("3")
    with pytest.raises(FormatError, match="has format 3, this version reads 2; start the version that wrote it"):
        RocksDBStore(tmp_path, read_only=read_only)


def test_a_store_whose_format_is_unknown_is_not_taken_over(tmp_path: Path) -> None:
    RocksDBStore(tmp_path).close()
    (tmp_path / "FORMAT").unlink()
    with pytest.raises(StoreError, match="is not a data directory of this runtime"):
        RocksDBStore(tmp_path)


def test_a_path_that_cannot_be_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be used"):
        RocksDBStore(tmp_path / "file")


def test_the_data_directory_is_for_its_owner_alone(tmp_path: Path) -> None:
    RocksDBStore(tmp_path / "data").close()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    assert (tmp_path / "data" / "store").stat().st_mode & 0o077 == 0


def write_ahead_log(data: Path) -> Path:
    [log] = [path for path in (data / "store").glob("*.log") if path.stat().st_size]
    return log


@pytest.mark.slow
@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_a_flipped_bit_in_the_log_is_refused_and_not_rolled_back(tmp_path: Path, where: float) -> None:
    assert run(tmp_path, 5)[-1] == "5"
    log = write_ahead_log(tmp_path)
    content = bytearray(log.read_bytes())
    content[int(len(content) * where)] ^= 1
    log.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be opened"):
        RocksDBStore(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("cut", [1, 7, 100])
def test_a_log_that_lost_its_last_acknowledged_record_is_refused(tmp_path: Path, cut: int) -> None:
    run(tmp_path, 5)
    log = write_ahead_log(tmp_path)
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - cut)
    with pytest.raises(DamagedError, match=r"acknowledged data is lost: of .*\.log \d+ bytes were durable"):
        RocksDBStore(tmp_path)
    (tmp_path / "DURABLE").unlink()
    assert epochs(tmp_path) == 4


def test_a_removed_log_is_refused(tmp_path: Path) -> None:
    store = RocksDBStore(tmp_path)
    store.commit(changes_of(1))
    shutil.copytree(tmp_path, tmp_path / "copy")
    store.close()
    write_ahead_log(tmp_path / "copy").unlink()
    with pytest.raises(DamagedError, match=r"acknowledged data is lost: .*\.log is gone"):
        RocksDBStore(tmp_path / "copy")


def test_a_block_that_cannot_be_read_is_an_error_and_not_the_end_of_a_scan(tmp_path: Path) -> None:
    store = RocksDBStore(tmp_path)
    store.commit(changes_of(1))
    store.close()
    for table in (tmp_path / "store").glob("*.sst"):
        content = bytearray(table.read_bytes())
        content[5] ^= 1
        table.write_bytes(content)
    store = RocksDBStore(tmp_path)
    for read in (lambda: list(store.scan(Table.STATE)), lambda: store.get_many(Table.STATE, [b"row 1"])):
        with pytest.raises(DamagedError, match=r"block checksum mismatch.*\.sst.*restore a savepoint"):
            read()
    store.close()


@pytest.mark.slow
def test_a_failed_commit_makes_the_store_unusable_and_nothing_after_it_is_written(tmp_path: Path) -> None:
    run(tmp_path, 1)
    *acknowledged, first, second = run(tmp_path, 10_000, 20_000)
    assert acknowledged
    assert "nothing after the last durable epoch is released" in first
    assert "an earlier write to" in second
    assert epochs(tmp_path) in {int(acknowledged[-1]), int(acknowledged[-1]) + 1}


# ---------------------------------------------------------------------------------------------------------- checkpoint


def test_a_checkpoint_is_a_store_of_its_own_with_what_was_committed(tmp_path: Path) -> None:
    store = RocksDBStore(tmp_path / "data")
    store.commit(changes_of(1))
    store.checkpoint(tmp_path / "copies" / "first")
    store.commit(changes_of(2))
    assert epochs(tmp_path / "copies" / "first") == 1
    assert last_epoch(store) == 2
    store.close()


def test_a_checkpoint_does_not_overwrite_anything(tmp_path: Path) -> None:
    store = RocksDBStore(tmp_path / "data")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(StoreError, match="the copy to"):
        store.checkpoint(tmp_path / "mine")
    assert (tmp_path / "mine" / "file").exists()
    store.close()


Operation = Callable[[RocksDBStore], object]
OPERATIONS: dict[str, Operation] = {
    "get_many": lambda store: store.get_many(Table.STATE, [b"a"]),
    "scan": lambda store: store.scan(Table.STATE),
    "commit": lambda store: store.commit(Changes(puts=[(Table.STATE, b"a", b"b")])),
    "checkpoint": lambda store: store.checkpoint(Path("never made")),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_closed_store_does_nothing_more(tmp_path: Path, operation: str) -> None:
    store = RocksDBStore(tmp_path)
    store.close()
    with pytest.raises(StoreError):
        OPERATIONS[operation](store)
    assert not Path("never made").exists()


def test_a_store_of_a_version_that_knew_fewer_tables_is_read_as_if_they_were_empty(tmp_path: Path) -> None:
    store = RocksDBStore(tmp_path)
    store.commit(changes_of(1))
    store.close()
    older = open_database(tmp_path / "store", Table, read_only=False)
    older.drop_column_family(Table.JOURNAL.value)
    older.close()
    reader = RocksDBStore(tmp_path, read_only=True)
    assert list(reader.scan(Table.JOURNAL)) == []
    assert reader.get_many(Table.JOURNAL, [b"a", b"b"]) == [None, None]
    assert last_epoch(reader) == 1
    reader.close()
    owner = RocksDBStore(tmp_path)
    owner.commit(Changes(puts=[(Table.JOURNAL, b"a", b"1")]))
    assert list(owner.scan(Table.JOURNAL)) == [(b"a", b"1")]
    owner.close()


@pytest.mark.slow
def test_a_view_whose_logs_may_have_been_removed_before_they_were_read_is_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "MEMTABLE_BYTES", 64 * 1024)
    owner = RocksDBStore(tmp_path)
    owner.commit(changes_of(1))
    store = tmp_path / "store"
    views: list[Rdict] = []

    def read_mark(
        path: Path, read: Callable[[Path], durable_mark.Mark | None] = durable_mark.read
    ) -> durable_mark.Mark | None:
        mark = read(path)
        if not views:
            go_on_until_no_log_is_left(store, owner)
        return mark

    def open_view(path: Path, tables: Iterable[Table], *, read_only: bool) -> Rdict:
        views.append(open_database(path, tables, read_only=read_only))
        if len(views) == 1:
            go_on_until_no_log_is_left(store, owner)
        return views[-1]

    monkeypatch.setattr(durable_mark, "read", read_mark)
    monkeypatch.setattr(rocksdb, "open_database", open_view)
    reader = RocksDBStore(tmp_path, read_only=True)
    assert len(views) > 1
    assert last_epoch(reader) == last_epoch(owner)
    reader.close()
    owner.close()


def go_on_until_no_log_is_left(store: Path, owner: RocksDBStore) -> None:
    """Commit epoch after epoch until none of the logs that are there now is there any more."""
    logs, number = durable_files.logs_from(0, durable_files.names_in(store)), last_epoch(owner)
    while logs & durable_files.names_in(store):
        number += 1
        owner.commit(changes_of(number))
