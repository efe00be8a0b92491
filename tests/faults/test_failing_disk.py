"""A disk that fails under a running application: nothing more is released, it ends, and goes on when mended."""

import errno
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.command import Runtime
from tests.e2e.senders import Load
from tests.faults.running import check, finish, make_runtime, parse_records, read_states
from tests.faults.shim import ALWAYS, FailingDisk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Fault(NamedTuple):
    operations: str
    error: int
    text: str
    """What the operating system calls it."""
    times: int = ALWAYS


FAULTS = {
    "the disk is full": Fault("wt", errno.ENOSPC, "No space left on device"),
    "a write fails once": Fault("w", errno.EIO, "Input/output error", 1),
    "a sync fails once": Fault("s", errno.EIO, "Input/output error", 1),
    "the file system becomes read-only": Fault("wsm", errno.EROFS, "Read-only file system"),
}
UNREADABLE = Fault("r", errno.EIO, "Input/output error")


@pytest.fixture
def runtime(disk: FailingDisk, tmp_path: Path) -> Runtime:
    """On the failing disk; its records go to a file on another one."""
    runtime = make_runtime(tmp_path, disk.root, tmp_path / "records")
    runtime.environment = disk.environment()
    return runtime


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_runtime_ends_when_its_disk_fails_and_goes_on_where_it_was_when_mended(
    disk: FailingDisk, runtime: Runtime, tmp_path: Path, fault: Fault
) -> None:
    runtime.start()
    with Load(runtime, 8) as load:
        load.wait_for(200)
        disk.fail(fault.operations, fault.error, times=fault.times)
        assert runtime.command.wait() == 5
        told = runtime.command.log.read_text()
        assert fault.text in told
        assert "Free space or repair the disk, then start the runtime again" in told
        assert "Traceback" not in told
        released, durable = parse_records((tmp_path / "records").read_bytes()), read_states(runtime)
        assert all(set(texts) <= set(durable[sender]) for sender, texts in released.items())
        refused = [status for sender in load.senders for status in sender.refused]
        assert refused
        assert set(refused) == {503}
        disk.mend()
        runtime.start()
        load.wait_for(100)
    finish(runtime)
    applied = read_states(runtime)
    check(applied, load.senders, {sender.id: sender.acknowledged for sender in load.senders}, "at the end")
    assert parse_records((tmp_path / "records").read_bytes()) == applied
    print(f"{len(refused)} senders answered with 503, {sum(map(len, applied.values()))} messages applied")


@pytest.mark.parametrize("fault", [*FAULTS.values(), UNREADABLE], ids=[*FAULTS, "reads fail"])
def test_a_start_on_a_disk_that_fails_is_refused_and_one_on_a_mended_disk_is_not(
    disk: FailingDisk, runtime: Runtime, fault: Fault
) -> None:
    runtime.start()
    finish(runtime)
    disk.fail(fault.operations, fault.error, times=fault.times)
    runtime.launch()
    assert runtime.command.wait() == 5
    told = runtime.command.log.read_text()
    assert fault.text in told
    assert "Traceback" not in told
    disk.mend()
    runtime.start()
    finish(runtime)


def test_a_damaged_data_directory_is_refused_and_says_which_file_and_what_to_do(runtime: Runtime) -> None:
    runtime.start()
    finish(runtime)
    [manifest] = (runtime.data / "store").glob("MANIFEST-*")
    manifest.write_bytes(manifest.read_bytes()[: manifest.stat().st_size // 2])
    runtime.launch()
    assert runtime.command.wait() == 6
    told = runtime.command.log.read_text()
    assert str(runtime.data) in told
    assert "MANIFEST" in told
    assert "restore a savepoint" in told
    assert "Traceback" not in told
