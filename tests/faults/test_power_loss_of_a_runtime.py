"""Losses of power under a running application: what was acknowledged or released is there, and happened once."""

import bisect
from itertools import takewhile
from pathlib import Path
from random import Random

import pytest

from tests.e2e.senders import Load, Sender
from tests.faults.journal import Change, Disk, read_journal
from tests.faults.running import Applied, check, finish, make_runtime, parse_records, read_states
from tests.faults.shim import FailingDisk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LOSSES = 8
SEED = 5


class MarkedSender(Sender):
    """Notes how long the journal was when it knew that a message was acknowledged."""

    def __init__(self, name: str, journal: Path) -> None:
        super().__init__(name)
        self.marks: list[int] = []
        self._journal = journal

    def send_next(self, port: int) -> bool:
        acknowledged = super().send_next(port)
        if acknowledged:
            self.marks.append(self._journal.stat().st_size)
        return acknowledged

    def acknowledged_before(self, end: int) -> list[str]:
        return self.acknowledged[: bisect.bisect_right(self.marks, end)]


def run_and_kill(disk: FailingDisk, tmp_path: Path, random: Random) -> list[MarkedSender]:
    """Keep an application busy, kill it now and then; all that it does to the disk is in the journal."""
    senders: list[MarkedSender] = []

    def make(name: str) -> MarkedSender:
        senders.append(MarkedSender(name, disk.journal))
        return senders[-1]

    runtime = make_runtime(tmp_path, disk.root, disk.root / "records")
    runtime.environment = disk.environment(journal=True)
    with Load(runtime, 4, make) as load:
        for _ in range(3):
            runtime.start()
            load.wait_for(random.randint(30, 150))
            runtime.kill()
    return senders


def released_before(changes: list[Change]) -> Applied:
    """The records that could be seen in the file, synced or not."""
    content = bytearray()
    for change in changes:
        if change.path.endswith("/records") and change.kind in "wt":
            del content[change.offset :]
            content += change.data
    return parse_records(bytes(content))


def test_what_was_acknowledged_or_released_is_there_after_the_power_failed(disk: FailingDisk, tmp_path: Path) -> None:
    random = Random(SEED)
    senders = run_and_kill(disk, tmp_path, random)
    changes = list(read_journal(disk.journal))
    first = min(sender.marks[0] for sender in senders)
    early = len(list(takewhile(lambda change: change.end < first, changes)))
    losses = sorted(random.sample(range(early // 2, len(changes)), LOSSES))
    model, done = Disk(disk.root), 0
    for number, loss in enumerate(losses):
        for change in changes[done:loss]:
            model.add(change)
        done = loss
        directory = tmp_path / str(number)
        left = directory / "disk"
        model.fail(random, left)
        what = f"seed {SEED}, after change {loss} of {len(changes)}"
        runtime = make_runtime(directory, left, left / "records").start()
        finish(runtime)
        applied = read_states(runtime)
        acknowledged = {sender.id: sender.acknowledged_before(changes[loss - 1].end) for sender in senders}
        check(applied, list(senders), acknowledged, what)
        check(applied, list(senders), released_before(changes[:loss]), what)
        records = parse_records((left / "records").read_bytes())
        assert records == applied, what
        print(f"{what}: {sum(map(len, acknowledged.values()))} acknowledged, {sum(map(len, applied.values()))} applied")
