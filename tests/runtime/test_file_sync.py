import os
from pathlib import Path

import pytest

from statefun_runtime.file_sync import make_directory, sync, sync_tree


@pytest.fixture(name="synced")
def synced_inodes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes that were synced, in order."""
    inodes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: inodes.append(os.fstat(descriptor).st_ino))
    return inodes


def test_a_tree_is_synced_with_all_its_files_and_directories(tmp_path: Path, synced: list[int]) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    for file in (tmp_path / "one", inner / "two"):
        file.touch()
    sync_tree(tmp_path)
    assert sorted(synced) == sorted(path.stat().st_ino for path in (tmp_path, *tmp_path.rglob("*")))


def test_syncing_a_directory_leaves_the_files_in_it_alone(tmp_path: Path, synced: list[int]) -> None:
    (tmp_path / "one").touch()
    sync(tmp_path)
    assert synced == [tmp_path.stat().st_ino]


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "gone")


def test_the_names_of_new_directories_are_synced(tmp_path: Path, synced: list[int]) -> None:
    make_directory(tmp_path / "one" / "two")
    assert (tmp_path / "one" / "two").is_dir()
    assert synced == [tmp_path.stat().st_ino, (tmp_path / "one").stat().st_ino]
    make_directory(tmp_path / "one" / "two")
    assert len(synced) == 2
