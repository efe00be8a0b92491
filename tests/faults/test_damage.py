"""Files that are not what was written: whatever opens has all that was told, the rest is refused."""

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from tests.faults import writer
from tests.faults.reader import Reader
from tests.faults.shim import FailingDisk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
UNREAD = ("LOG", "LOCK", "IDENTITY", "OWNER")
"""Files that hold nothing; they are not opened for reading."""
STEPS = {"OPTIONS": 20011, ".sst": 37, "MANIFEST": 17, ".log": 13, "DURABLE": 101}
"""Every how many bytes one is changed; every 3 otherwise."""
REMEDIES = {
    "DamagedError": "restore a savepoint",
    "FormatError": "start the version that wrote it",
    "StoreError": "is not a data directory of this runtime",
}
"""What the error says, by its kind."""


class Sample(NamedTuple):
    """A data directory with tables and a log, and the last epoch that was told of it."""

    data: Path
    told: int


@pytest.fixture
def sample(disk: FailingDisk) -> Sample:
    directory = disk.root / "sample"
    directory.mkdir()
    common = (writer.__name__, directory, "--epochs", 2, "--size", 60)
    assert disk.run(*common) == 0
    assert disk.run(*common) == 0
    assert disk.run(*common, "--tear", disk.root.parent) == -9
    disk.mend()
    assert writer.read_told(directory) == 6
    return Sample(directory / "data", 6)


def files(data: Path) -> list[Path]:
    """Those that hold something, relative to the data directory."""
    found = (path for path in sorted(data.rglob("*")) if path.is_file() and not path.name.startswith(UNREAD))
    return [path.relative_to(data) for path in found if path.stat().st_size]


def copy(sample: Sample) -> Path:
    target = sample.data.parent / "copy"
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(sample.data, target, ignore=shutil.ignore_patterns("LOG*")))


def outcome(found: Mapping[str, object], sample: Sample, what: str) -> str:
    """Whether the directory was opened or refused; both rightly, or it is an error that names `what` was done."""
    if found.get("epoch") == sample.told:
        return "opened"
    remedy = REMEDIES.get(str(found.get("kind")))
    assert remedy is not None, (what, found)
    text = str(found["error"])
    assert str(sample.data.parent) in text, (what, text)
    assert remedy in text, (what, text)
    return "refused"


def test_a_torn_record_at_the_end_of_the_log_is_accepted(sample: Sample, reader: Reader) -> None:
    assert reader.read(copy(sample)) == {"epoch": sample.told}


def test_a_changed_byte_is_refused_or_changes_nothing(sample: Sample, reader: Reader) -> None:
    random = Random(3)
    for file in files(sample.data):
        content = (sample.data / file).read_bytes()
        step = next((step for part, step in STEPS.items() if part in file.name), 3)
        outcomes: Counter[str] = Counter()
        for at in range(random.randrange(min(step, len(content))), len(content), step):
            bit = 1 << random.randrange(8)
            data = copy(sample)
            (data / file).write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
            outcomes[outcome(reader.read(data), sample, f"bit {bit} of byte {at} of {file}")] += 1
        print(f"{file}: {len(content)} bytes, {dict(outcomes)}")


@pytest.mark.parametrize("part", ["shorter by one", "half", "empty", "removed"])
def test_a_file_that_lost_a_part_is_refused_or_nothing_is_missing(sample: Sample, reader: Reader, part: str) -> None:
    for file in files(sample.data):
        data = copy(sample)
        content = (sample.data / file).read_bytes()
        if part == "removed":
            (data / file).unlink()
        else:
            length = {"shorter by one": len(content) - 1, "half": len(content) // 2, "empty": 0}[part]
            (data / file).write_bytes(content[:length])
        found = reader.read(data)
        print(f"{file}, {part}: {outcome(found, sample, f'{file}, {part}')}")
