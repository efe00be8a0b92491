"""A process that does the same work again and again on copies of one directory, killed one step later each time.

A step is a write, a sync, or a change of names; the shim counts them. The work is done by forks, which saves the start
of an interpreter each time. It stops when the work gets to its end. With an error, that step fails instead, once, and
the number of steps has to be given, since the work may get to its end although one failed.
"""

import argparse
import os
import shutil
import signal
from itertools import count
from pathlib import Path

from statefun_runtime.errors import StatefunRuntimeError
from statefun_runtime.store.rocksdb import RocksDBStore
from tests.faults import writer
from tests.faults.shim import KILL, FailingDisk

BEFORE = "before"
"""The directory to copy."""
EVERY = 3
"""Which steps fail, when it is not a kill."""


def work_on(directory: Path, arguments: argparse.Namespace) -> bool:
    """Do the work in a process of its own; whether it got to its end. It may be refused, by an error of the runtime."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            writer.commit(directory, RocksDBStore, arguments.epochs, arguments.size)
            code = 0
        except StatefunRuntimeError:
            code = writer.REFUSED
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, writer.REFUSED, -signal.SIGKILL}, f"{directory}: ended with {code}"
    return code == 0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path, help="of a FailingDisk")
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--error", type=int, default=KILL)
    parser.add_argument("--steps", type=int)
    arguments = parser.parse_args()
    disk = FailingDisk(Path(os.environ["LD_PRELOAD"]), arguments.directory)
    finished = 0
    for step in count() if arguments.steps is None else range(0, arguments.steps, EVERY):
        directory = disk.root / f"step {step}"
        shutil.copytree(disk.root / BEFORE, directory, ignore=shutil.ignore_patterns("LOG*"))
        disk.fail("wsmt", arguments.error, first=step, times=1)
        at_end = work_on(directory, arguments)
        disk.mend()
        finished += at_end
        if at_end and arguments.steps is None:
            break
    print(f"{step + 1} steps, {finished} times to the end", flush=True)


if __name__ == "__main__":
    main()
