"""Readers beside a live owner that replaces its logs all the time."""

import subprocess
import sys
from pathlib import Path

import pytest

from statefun_runtime.store.rocksdb import RocksDBStore
from tests.e2e.command import wait_until
from tests.faults import writer
from tests.repo.sources import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LOOKS = 100
PAUSE = 0.001
"""Seconds after each epoch. Without it logs last for milliseconds, less than a reader on a busy machine needs."""


def test_a_reader_beside_a_busy_owner_sees_whole_epochs_and_all_that_was_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", writer.__name__, str(tmp_path), "--epochs", "1000000", "--size", "2000"]
    command += ["--pause", str(PAUSE)]
    owner = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_until(lambda: writer.read_told(tmp_path) > 0, "the first epoch")
        for _ in range(LOOKS):
            told = writer.read_told(tmp_path)
            store = RocksDBStore(tmp_path / "data", read_only=True)
            try:
                assert writer.last_epoch(store) >= told
            finally:
                store.close()
        assert owner.poll() is None
        print(f"{LOOKS} looks during {writer.read_told(tmp_path)} epochs")
    finally:
        owner.kill()
        owner.wait()
