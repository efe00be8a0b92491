"""Power losses at random points of the real store's writes: only what was synced is sure to be there.

A kill alone proves little about syncing, since the operating system keeps what was written.
"""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults import writer
from tests.faults.journal import Disk, read_journal
from tests.faults.reader import Reader
from tests.faults.shim import KILL, FailingDisk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LIVES = 6
EPOCHS = 25
LOSSES = 250


def write(disk: FailingDisk, random: Random, *arguments: str) -> None:
    """Let several processes commit one after the other; all but the last are killed, or fail once, at a random step."""
    for life in range(LIVES):
        if life < LIVES - 1:
            error = random.choice((KILL, errno.EIO))
            disk.fail(random.choice(("wsm", "wsmt", "s")), error, first=random.randint(1, 200), times=1)
        ended = disk.run(writer.__name__, disk.root, "--epochs", EPOCHS, *arguments, journal=True)
        disk.mend()
        assert ended in {0, -9, writer.REFUSED}
    assert ended == 0


def losses(disk: FailingDisk, random: Random) -> Iterator[tuple[int, Path]]:
    """By number of changes before it: what is left after each of many losses of power."""
    changes = list(read_journal(disk.journal))
    chosen = sorted(random.sample(range(1, len(changes)), LOSSES))
    model = Disk(disk.root)
    done = 0
    for loss in chosen:
        for change in changes[done:loss]:
            model.add(change)
        done = loss
        target = disk.root / "left"
        model.fail(random, target)
        yield loss, target
        shutil.rmtree(target)


def told_before(disk: FailingDisk) -> dict[int, int]:
    """By number of changes: the highest epoch that was told of by then."""
    highest, by_change = 0, {}
    for number, change in enumerate(read_journal(disk.journal), 1):
        if change.path.endswith(f"/{writer.TOLD}") and change.data.endswith(b"\n"):
            highest = max(highest, int(change.data))
        by_change[number] = highest
    return by_change


def missing(disk: FailingDisk, reader: Reader, random: Random) -> list[str]:
    """The losses of power after which an epoch that was told of is not there."""
    found = []
    told = told_before(disk)
    for changes, left in losses(disk, random):
        answer = reader.read(left / "data")
        epoch = answer.get("epoch")
        if not isinstance(epoch, int) or epoch < told[changes]:
            found.append(f"after change {changes}: told of {told[changes]}, found {answer}")
    return found


@pytest.mark.parametrize("seed", range(2))
def test_nothing_that_was_told_is_lost_when_the_power_fails(disk: FailingDisk, reader: Reader, seed: int) -> None:
    random = Random(seed)
    write(disk, random)
    lost = missing(disk, reader, random)
    print(f"{len(lost)} of {LOSSES} losses of power lost anything that was told")
    assert lost == [], f"seed {seed}"


def test_a_store_that_does_not_sync_loses_what_was_told_and_this_test_sees_it(
    disk: FailingDisk, reader: Reader
) -> None:
    random = Random(7)
    write(disk, random, "--unsynced")
    lost = missing(disk, reader, random)
    print(f"{len(lost)} of {LOSSES} losses of power are noticed, the first: {lost[:1]}")
    assert len(lost) > 10
