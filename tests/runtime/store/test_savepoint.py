"""Savepoints hold what was durable, as a whole or not at all, and what is damaged is refused."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from statefun_runtime.errors import FormatError, StoreError
from statefun_runtime.interfaces import Table
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.rocksdb import RocksDBStore
from statefun_runtime.store.savepoint import (
    Savepoint,
    check_savepoint,
    count_rows,
    data_of,
    delete_savepoint,
    list_savepoints,
    locate,
    read_savepoint,
    refuse_savepoint,
    take_savepoint,
)

from .samples import LINEAGE, content, make_store, sample_epoch


def take(data: Path, name: str = "first") -> Savepoint:
    with closing(RocksDBStore(data)) as store:
        return take_savepoint(data, name, store.checkpoint)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return make_store(tmp_path / "data")


def test_a_savepoint_says_which_epoch_of_which_lineage_it_is(data: Path) -> None:
    savepoint = take(data)
    assert (savepoint.name, savepoint.lineage, savepoint.epoch, savepoint.time) == (
        "first",
        LINEAGE,
        7,
        1_700_000_000_000,
    )
    assert read_savepoint(locate(data, "first")) == savepoint


def test_a_savepoint_stays_as_it_was_while_the_store_goes_on(data: Path) -> None:
    with closing(RocksDBStore(data)) as store:
        savepoint = take_savepoint(data, "first", store.checkpoint)
        later = sample_epoch(8)
        later.state.clear()
        later.state["shop/cart", "later"] = {}
        store.commit(changes_of(later, LINEAGE))
    assert content(data_of(locate(data, "first"))) != content(data)
    assert check_savepoint(locate(data, "first")) == savepoint


def test_tables_are_shared_with_the_store_and_not_copied(data: Path) -> None:
    take(data)
    tables = list(data_of(locate(data, "first")).glob("store/*.sst"))
    assert tables
    assert all(table.stat().st_nlink > 1 for table in tables)


def test_the_files_of_a_savepoint_are_for_their_owner_alone(data: Path) -> None:
    take(data)
    assert (data / "savepoints").stat().st_mode & 0o077 == 0


def test_rows_are_counted_by_table(data: Path) -> None:
    with closing(RocksDBStore(data)) as store:
        counts = count_rows(store)
    assert (counts[Table.STATE], counts[Table.MAILBOX], counts[Table.DELAYED], counts[Table.OUTBOX]) == (2, 3, 1, 1)
    assert (counts[Table.PARKED], counts[Table.DEAD_LETTERS], counts[Table.POSITIONS]) == (1, 2, 2)
    assert Table.META not in counts


def test_savepoints_are_listed_by_name(data: Path) -> None:
    made = [take(data, name) for name in ("b", "a")]
    assert list(list_savepoints(data)) == made[::-1]


def test_a_directory_without_savepoints_has_an_empty_list(data: Path) -> None:
    assert list(list_savepoints(data)) == []


@pytest.mark.parametrize("name", ["", ".hidden", "../up", "a/b", "a b", "x" * 101])
def test_a_name_that_could_be_a_path_is_refused(data: Path, name: str) -> None:
    with pytest.raises(StoreError, match="is no name for a savepoint"):
        take(data, name)


def test_a_name_is_not_used_twice(data: Path) -> None:
    first = take(data)
    with pytest.raises(StoreError, match="there is a savepoint first already"):
        take(data)
    assert check_savepoint(locate(data, "first")) == first


def test_of_an_empty_store_there_is_no_savepoint(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing is durable yet"):
        take(tmp_path)
    assert list((tmp_path / "savepoints").iterdir()) == []


def test_a_copy_that_fails_leaves_nothing_behind(data: Path) -> None:
    def half(path: Path) -> None:
        path.mkdir(parents=True)
        (path / "FORMAT").touch()
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match=r"cannot be made: .*No space left on device"):
        take_savepoint(data, "first", half)
    assert list((data / "savepoints").iterdir()) == []


def test_what_a_killed_process_left_behind_is_no_savepoint_and_goes_away_with_the_next_one(data: Path) -> None:
    class KilledError(BaseException):
        pass

    def killed(path: Path) -> None:
        raise KilledError

    left_over = data / "savepoints" / ".unfinished-second"
    left_over.mkdir(parents=True)
    assert list(list_savepoints(data)) == []
    with pytest.raises(KilledError):
        take_savepoint(data, "first", killed)
    assert list((data / "savepoints").iterdir()) == []


# -------------------------------------------------------------------------------------------------------------- damage


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()  # a table is a hard link: the store must keep its own
    path.write_bytes(content)


def largest(path: Path) -> Path:
    return max(data_of(path).glob("store/*.sst"), key=lambda file: file.stat().st_size)


def rewrite(**changes: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        file = path / "savepoint.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return change


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a flipped bit": (lambda path: flip_a_bit(largest(path)), "is not what was saved"),
    "a missing file": (lambda path: largest(path).unlink(), "cannot be read: No such file"),
    "a shorter file": (lambda path: largest(path).write_bytes(b""), "is not what was saved"),
    "another epoch": (rewrite(epoch=8), "describes epoch 8 of lineage .*, but the data is epoch 7"),
    "another lineage": (rewrite(lineage="other"), "describes epoch 7 of lineage other"),
    "no description": (lambda path: (path / "savepoint.json").unlink(), "is no savepoint: No such file"),
    "half a description": (lambda path: (path / "savepoint.json").write_text("{"), "savepoint.json is damaged"),
    "a file outside": (
        rewrite(files=[{"path": "../../FORMAT", "size": 1, "sha256": ""}]),
        "damaged .*must stay within the savepoint",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_named(data: Path, damage: str) -> None:
    do, message = DAMAGE[damage]
    take(data)
    do(locate(data, "first"))
    with pytest.raises(StoreError, match=message):
        check_savepoint(locate(data, "first"))


def test_a_savepoint_of_another_version_is_refused(data: Path) -> None:
    take(data)
    rewrite(format=2)(locate(data, "first"))
    with pytest.raises(FormatError, match="has format 2, this version reads 1; take the version that made it"):
        check_savepoint(locate(data, "first"))


# ------------------------------------------------------------------------------------------------------- end and misuse


def test_a_deleted_savepoint_is_gone_and_the_store_is_not(data: Path) -> None:
    before = content(data)
    take(data)
    delete_savepoint(locate(data, "first"))
    assert list((data / "savepoints").iterdir()) == []
    assert content(data) == before


def test_only_a_savepoint_can_be_deleted(tmp_path: Path, data: Path) -> None:
    with pytest.raises(StoreError, match="is no savepoint"):
        delete_savepoint(locate(data, "first"))
    with pytest.raises(StoreError, match="is no savepoint"):
        delete_savepoint(tmp_path)
    assert content(data)


def test_a_savepoint_may_be_named_by_its_path(data: Path, tmp_path: Path) -> None:
    savepoint = take(data)
    moved = locate(data, "first").rename(tmp_path / "moved")
    assert check_savepoint(locate(data, str(moved))) == savepoint


def test_no_runtime_runs_on_the_data_of_a_savepoint(data: Path) -> None:
    take(data)
    refuse_savepoint(data)
    with pytest.raises(StoreError, match="belongs to a savepoint; restore it into a directory of its own"):
        refuse_savepoint(data_of(locate(data, "first")))
