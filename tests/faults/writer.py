"""A process that commits epoch after epoch to a store and tells the number of each in a file, once it is durable.

Every epoch changes all rows, so that half an epoch would show. The memtables are small, so that tables are written and
logs replaced all the time. It goes on from what it finds, and tells that number too: a runtime acts on what it finds.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from random import Random

from rocksdict import WriteBatch

from statefun_runtime.errors import DiskError, StatefunRuntimeError
from statefun_runtime.interfaces import Changes, Store, Table
from statefun_runtime.store import database
from statefun_runtime.store.rocksdb import RocksDBStore
from tests.faults.shim import KILL, FailingDisk

ROWS = [b"row %d" % number for number in range(20)]
TOLD = "told"
"""A file of numbers, one a line, beside the data directory."""
REFUSED = 3
"""The exit code of work that an error of the runtime ended."""
_MEMTABLE_BYTES = 64 * 1024


class UnsyncedStore(RocksDBStore):
    """A store with the bug that these tests are for."""

    def _write(self, batch: WriteBatch) -> None:
        self._db.write(batch, self._unsynced)


def changes_of(number: int, size: int) -> Changes:
    """An epoch: every row gets `size` bytes that tell its number and do not compress."""
    content = b"%d " % number + Random(number).randbytes(size)
    changes = Changes(deletes=[(Table.MAILBOX, b"%d" % (number - 1))], puts=[(Table.MAILBOX, b"%d" % number, content)])
    changes.puts += [(Table.STATE, key, content) for key in ROWS]
    return changes


def last_epoch(store: Store) -> int:
    """The number of the last epoch in the store, 0 if there is none. All rows must be of that one, and whole."""
    mailbox = list(store.scan(Table.MAILBOX))
    states = list(store.scan(Table.STATE))
    assert store.get_many(Table.STATE, ROWS) == [dict(states).get(key) for key in ROWS]
    if not mailbox:
        assert states == []
        return 0
    assert len(mailbox) == 1, f"rows of {len(mailbox)} epochs: {[key for key, _ in mailbox]}"
    [(key, content)] = mailbox
    number = int(key)
    assert content == b"%d " % number + Random(number).randbytes(len(content) - len(key) - 1)
    assert states == [(key, content) for key in sorted(ROWS)]
    return number


def read_told(directory: Path) -> int:
    """The highest number told so far; a line that was cut short was not told."""
    file = directory / TOLD
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return max((int(line) for line in lines if line.endswith("\n")), default=0)


def commit(
    directory: Path,
    kind: type[RocksDBStore],
    epochs: int,
    size: int,
    *,
    pause: float = 0,
    tear: FailingDisk | None = None,
) -> None:
    """Commit so many epochs to the store in `directory`, then close it, or die in the middle of writing one more.

    `pause` is the number of seconds that it leaves the disk alone after each epoch.
    """
    database.MEMTABLE_BYTES = _MEMTABLE_BYTES
    store = kind(directory / "data", lock_timeout=0)
    try:
        first = last_epoch(store)
        tell(directory, first)
        for number in range(first + 1, first + 1 + epochs):
            store.commit(changes_of(number, size))
            tell(directory, number)
            time.sleep(pause)
        if tear is not None:
            tear.fail("wt", KILL)
            store.commit(changes_of(first + 1 + epochs, size))
    finally:
        store.close()


def tell(directory: Path, number: int) -> None:
    """Tell that an epoch is durable. Raises DiskError: the file is on the same disk."""
    try:
        told = os.open(directory / TOLD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(told, b"%d\n" % number)
        finally:
            os.close(told)
    except OSError as error:
        raise DiskError(f"{number} was not told: {error}") from error


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--pause", type=float, default=0, help="seconds after each epoch")
    parser.add_argument("--unsynced", action="store_true")
    parser.add_argument("--tear", type=Path, help="the directory of the FailingDisk that tears one more epoch")
    arguments = parser.parse_args()
    kind = UnsyncedStore if arguments.unsynced else RocksDBStore
    tear = FailingDisk(Path(os.environ["LD_PRELOAD"]), arguments.tear) if arguments.tear else None
    try:
        commit(arguments.directory, kind, arguments.epochs, arguments.size, pause=arguments.pause, tear=tear)
    except StatefunRuntimeError as error:
        print(error)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
