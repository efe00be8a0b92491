"""Kills and errors at every single step of a store: making it, committing, replacing its log, recovering, closing."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import steps, writer
from tests.faults.journal import read_journal
from tests.faults.reader import Reader
from tests.faults.shim import FailingDisk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
WORK = ("--epochs", 4, "--size", 2000)


def new(disk: FailingDisk, directory: Path) -> None:
    """Nothing yet: the directory and the store are made."""


def torn(disk: FailingDisk, directory: Path) -> None:
    """A store whose log ends in a torn record: it has to be recovered."""
    run_writer(disk, directory)
    run_writer(disk, directory, "--tear", disk.root.parent)
    disk.mend()
    assert any(path.stat().st_size for path in (directory / "data" / "store").glob("*.log"))


def run_writer(disk: FailingDisk, directory: Path, *arguments: object) -> None:
    ended = disk.run(writer.__name__, directory, "--epochs", 2, "--size", 2000, *arguments)
    assert ended == (-9 if arguments else 0)


@pytest.mark.parametrize("state", [new, torn])
def test_whatever_step_a_kill_comes_at_epochs_are_whole_and_none_that_was_told_is_missing(
    disk: FailingDisk, reader: Reader, tmp_path: Path, state: Callable[[FailingDisk, Path], None]
) -> None:
    before = disk.root / steps.BEFORE
    before.mkdir()
    state(disk, before)
    assert disk.run(steps.__name__, tmp_path, *WORK) == 0
    assert check(disk, reader) > 50


def test_whatever_step_fails_epochs_are_whole_and_none_that_was_told_is_missing(
    disk: FailingDisk, reader: Reader, tmp_path: Path
) -> None:
    trial = disk.root / "trial"
    trial.mkdir()
    torn(disk, trial)
    shutil.copytree(trial, disk.root / steps.BEFORE)
    assert disk.run(writer.__name__, trial, *WORK, journal=True) == 0
    shutil.rmtree(trial)
    number = sum(1 for _ in read_journal(disk.journal))
    assert disk.run(steps.__name__, tmp_path, *WORK, "--error", errno.EIO, "--steps", number) == 0
    assert check(disk, reader) >= number // steps.EVERY


def check(disk: FailingDisk, reader: Reader) -> int:
    """Open what every step has left; how many there are."""
    left = sorted(disk.root.glob("step *"), key=lambda path: int(path.name.split()[1]))
    for directory in left:
        told = writer.read_told(directory)
        # Now and then a second time, over what the first recovery left.
        for _ in range(2 if int(directory.name.split()[1]) % 5 == 0 else 1):
            found = reader.read(directory / "data")
            assert found.get("epoch") in {told, told + 1}, (directory.name, told, found)
        shutil.rmtree(directory)
    return len(left)
