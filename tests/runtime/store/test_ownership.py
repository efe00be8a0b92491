"""One process owns a data directory."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from statefun_runtime.errors import StoreLockedError
from statefun_runtime.store.ownership import Ownership
from statefun_runtime.store.rocksdb import RocksDBStore

from .committing import changes_of, last_epoch

HOLDING = """
import sys
from pathlib import Path
from statefun_runtime.store.ownership import Ownership
ownership = Ownership(Path(sys.argv[1]), 0)
print("owned", flush=True)
sys.stdin.read()
"""


def start_owner(path: Path) -> subprocess.Popen[str]:
    """A process that owns `path` until it is killed."""
    command = [sys.executable, "-c", HOLDING, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "owned\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_second_owner_is_refused_and_told_who_holds_it_since_when_and_what_to_do(tmp_path: Path) -> None:
    store = RocksDBStore(tmp_path)
    with pytest.raises(StoreLockedError) as refused:
        RocksDBStore(tmp_path, lock_timeout=0)
    told = re.fullmatch(
        rf"another process owns {tmp_path} \(process (\d+) since (\S+)\); stop it, or give this one another data "
        "directory",
        str(refused.value),
    )
    assert told is not None
    assert int(told[1]) == os.getpid()
    assert abs(time.time() - time.mktime(time.strptime(told[2], "%Y-%m-%dT%H:%M:%S%z"))) < 24 * 3600
    store.commit(changes_of(1))
    assert last_epoch(store) == 1
    store.close()


@pytest.mark.slow
def test_an_owner_in_another_process_is_named_and_its_death_frees_the_directory(tmp_path: Path) -> None:
    process = start_owner(tmp_path)
    with pytest.raises(StoreLockedError, match=rf"\(process {process.pid} since "):
        Ownership(tmp_path, 0)
    end(process)
    Ownership(tmp_path, 0).release()


@pytest.mark.slow
def test_a_new_owner_waits_for_one_that_is_dying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = start_owner(tmp_path)
    monkeypatch.setattr(time, "sleep", lambda _: end(process))
    Ownership(tmp_path, 60).release()


def test_a_refused_owner_leaves_the_note_of_the_one_that_holds_it(tmp_path: Path) -> None:
    ownership = Ownership(tmp_path, 0)
    for _ in range(2):
        with pytest.raises(StoreLockedError, match=f"process {os.getpid()}"):
            Ownership(tmp_path, 0)
    ownership.release()
    assert (tmp_path / "OWNER").read_bytes() == b""
