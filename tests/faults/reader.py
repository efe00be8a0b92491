"""Stores opened by a process of its own: it reads directories, one a line, and answers each with the last epoch."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from statefun_runtime.errors import StatefunRuntimeError
from statefun_runtime.store.rocksdb import RocksDBStore
from tests.faults import writer
from tests.faults.shim import FailingDisk
from tests.repo.sources import ROOT


class Reader:
    """A fresh process that opens stores, one after the other. It reads them from `disk`, whose syncs cost nothing."""

    def __init__(self, disk: FailingDisk) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.reader"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=disk.environment(),
        )

    def read(self, data: Path) -> Mapping[str, object]:
        """The last `epoch` in a data directory, 0 if there is none; or the `error` that refused it, and its `kind`.

        Rows that are not those of one whole epoch are an error too, an AssertionError.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{data}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"reading {data} ended the process with {self._process.wait()}"
        found: dict[str, object] = json.loads(line)
        return found

    def close(self) -> None:
        self._process.communicate()


def open_and_read(directory: Path) -> dict[str, object]:
    if not directory.exists():
        return {"epoch": 0}
    try:
        store = RocksDBStore(directory, lock_timeout=0)
        try:
            return {"epoch": writer.last_epoch(store)}
        finally:
            store.close()
    except (StatefunRuntimeError, AssertionError) as error:
        return {"kind": type(error).__name__, "error": str(error)}


def main() -> None:
    for line in sys.stdin:
        print(json.dumps(open_and_read(Path(line.rstrip("\n")))), flush=True)


if __name__ == "__main__":
    main()
