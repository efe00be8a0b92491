"""A process that does the same work again and again on copies of one directory, killed one step later each time.

A step is a write, a sync, or a change of names; the shim counts them. The work is done by forks, which saves the start
of an interpreter each time. It stops when the work gets to its end.
"""

import argparse
import os
import shutil
from itertools import count
from pathlib import Path

from statefun_runtime.store.rocksdb import RocksDBStore
from tests.faults import writer
from tests.faults.shim import KILL, FailingDisk

BEFORE = "before"
"""The directory to copy."""


def work_on(directory: Path, arguments: argparse.Namespace) -> bool:
    """Do the work in a process of its own; whether it got to its end."""
    child = os.fork()
    if child == 0:
        writer.commit(directory, RocksDBStore, arguments.epochs, arguments.size)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path, help="of a FailingDisk")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    arguments = parser.parse_args()
    disk = FailingDisk(Path(os.environ["LD_PRELOAD"]), arguments.directory)
    for step in count():
        directory = disk.root / f"step {step}"
        shutil.copytree(disk.root / BEFORE, directory, ignore=shutil.ignore_patterns("LOG*"))
        disk.fail("wsmt", KILL, first=step)
        finished = work_on(directory, arguments)
        disk.mend()
        if finished:
            return


if __name__ == "__main__":
    main()
