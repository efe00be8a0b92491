"""A restored data directory has the content of the savepoint, a lineage of its own, or is not there at all."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Table
from statefun_runtime.store.changes import changes_of
from statefun_runtime.store.outbox import read_batch
from statefun_runtime.store.recovery import read_head, recover
from statefun_runtime.store.restore import EgressFiles, new_data_directory, restore_savepoint
from statefun_runtime.store.rocksdb import RocksDBStore
from statefun_runtime.store.savepoint import check_savepoint, locate, take_savepoint

from .samples import EGRESS, LINEAGE, content, make_store, sample_epoch


@pytest.fixture
def savepoint(tmp_path: Path) -> Path:
    """A savepoint of a store that went on afterwards."""
    data = make_store(tmp_path / "data")
    with closing(RocksDBStore(data)) as store:
        take_savepoint(data, "first", store.checkpoint)
        later = sample_epoch(8)
        later.outbox_gone.append((EGRESS, 7))
        store.commit(changes_of(later, LINEAGE))
    return locate(data, "first")


def test_everything_is_as_in_the_savepoint_but_for_the_lineage(savepoint: Path, tmp_path: Path) -> None:
    restore_savepoint(savepoint, tmp_path / "restored")
    restored, saved = content(tmp_path / "restored"), content(savepoint / "data")
    assert len(restored.pop(Table.META)) == len(saved.pop(Table.META)) == 7
    assert restored == saved


def test_every_restore_begins_a_lineage_of_its_own(savepoint: Path, tmp_path: Path) -> None:
    lineages = {LINEAGE}
    for name in ("one", "two"):
        restore_savepoint(savepoint, tmp_path / name)
        with closing(RocksDBStore(tmp_path / name, read_only=True)) as store:
            head = read_head(store)
        assert head is not None
        assert (head.epoch, head.sequence, head.time) == (7, 100, 1_700_000_000_000)
        lineages.add(head.lineage)
    assert len(lineages) == 3


def test_records_that_waited_keep_their_lineage_so_that_a_sink_knows_those_it_has(
    savepoint: Path, tmp_path: Path
) -> None:
    restore_savepoint(savepoint, tmp_path / "restored")
    with closing(RocksDBStore(tmp_path / "restored")) as store:
        recovery = recover(store)
        assert [entry.epoch for entry in recovery.outbox[EGRESS]] == [7]
        assert read_batch(store, EGRESS, 7).lineage == LINEAGE
    assert recovery.lineage != LINEAGE


def test_positions_of_egresses_are_known_to_be_those_of_a_savepoint(savepoint: Path, tmp_path: Path) -> None:
    expected = {EgressFiles.CHECK: ({EGRESS}, {EGRESS}), EgressFiles.CUT: ({EGRESS}, set()), EgressFiles.NEW: ((), ())}
    for choice, (known, restored) in expected.items():
        target = tmp_path / choice.value
        restore_savepoint(savepoint, target, choice)
        with closing(RocksDBStore(target)) as store:
            recovery = recover(store)
        assert (set(recovery.sinks), recovery.restored_sinks) == (set(known), set(restored))
        assert all(sink.position == b'{"length": 44}' for sink in recovery.sinks.values())


def test_a_position_that_was_reported_after_the_restore_is_an_ordinary_one(savepoint: Path, tmp_path: Path) -> None:
    restore_savepoint(savepoint, tmp_path / "restored")
    with closing(RocksDBStore(tmp_path / "restored")) as store:
        store.commit(changes_of(sample_epoch(8), recover(store).lineage))
        assert recover(store).restored_sinks == set()


def test_the_savepoint_stays_whole_when_the_restored_store_is_written(savepoint: Path, tmp_path: Path) -> None:
    restore_savepoint(savepoint, tmp_path / "restored")
    with closing(RocksDBStore(tmp_path / "restored")) as store:
        store.commit(changes_of(sample_epoch(9), "new"))
    check_savepoint(savepoint)


def test_without_hard_links_the_files_are_copied(
    savepoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cross_device(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", cross_device)
    restore_savepoint(savepoint, tmp_path / "restored")
    assert content(tmp_path / "restored")[Table.STATE] == content(savepoint / "data")[Table.STATE]


def test_a_damaged_savepoint_is_not_restored(savepoint: Path, tmp_path: Path) -> None:
    next((savepoint / "data" / "store").glob("*.sst")).unlink()
    with pytest.raises(StoreError, match="take another savepoint"):
        restore_savepoint(savepoint, tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


# -------------------------------------------------------------------------------------------------- the new directory


def test_a_directory_with_anything_in_it_is_refused_and_left_alone(savepoint: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with pytest.raises(StoreError, match="is not empty"):
        restore_savepoint(savepoint, tmp_path / "mine")
    assert [entry.name for entry in (tmp_path / "mine").iterdir()] == ["file"]


def test_an_empty_directory_such_as_the_root_of_a_volume_is_taken(savepoint: Path, tmp_path: Path) -> None:
    (tmp_path / "volume" / "lost+found").mkdir(parents=True)
    restore_savepoint(savepoint, tmp_path / "volume")
    assert content(tmp_path / "volume")[Table.STATE]


def test_until_it_is_whole_no_runtime_starts_on_it(tmp_path: Path) -> None:
    with new_data_directory(tmp_path / "new") as building:
        make_store(building)
        with pytest.raises(StoreError, match="is not a data directory"):
            RocksDBStore(tmp_path / "new")
    assert content(tmp_path / "new")[Table.STATE]
    assert "building" not in [entry.name for entry in (tmp_path / "new").iterdir()]


@pytest.mark.parametrize("existed", [False, True])
def test_a_failure_leaves_the_directory_as_it_was(tmp_path: Path, existed: bool) -> None:
    path = tmp_path / "new"
    if existed:
        path.mkdir()

    def fail() -> None:
        with new_data_directory(path) as building:
            make_store(building)
            raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left on device"):
        fail()
    assert path.exists() == existed
    assert not existed or list(path.iterdir()) == []
