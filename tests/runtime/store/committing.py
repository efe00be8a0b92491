"""A process that owns a store and commits epoch after epoch, printing the number of each when it is durable.

Every epoch changes all rows, so that half an epoch would show. It goes on from what it finds, until it is killed, or
kills itself after the epoch given as second argument; a third argument limits the size of files in bytes.
"""

import os
import resource
import signal
import sys
from itertools import count
from pathlib import Path

from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Changes, Store, Table
from statefun_runtime.store.rocksdb import RocksDBStore

ROWS = [b"row %d" % number for number in range(20)]


def changes_of(number: int) -> Changes:
    content = b"%d" % number
    changes = Changes(deletes=[(Table.MAILBOX, b"%d" % (number - 1))], puts=[(Table.MAILBOX, content, content)])
    changes.puts += [(Table.STATE, key, content) for key in ROWS]
    return changes


def last_epoch(store: Store) -> int:
    """The number of the last epoch in the store, 0 if there is none. All rows must be of that one."""
    found = set(store.get_many(Table.STATE, ROWS))
    mailbox = [value for _, value in store.scan(Table.MAILBOX)]
    if found == {None}:
        assert mailbox == []
        return 0
    [content] = found
    assert mailbox == [content]
    assert content is not None
    return int(content)


def main() -> None:
    path, *rest = sys.argv[1:]
    store = RocksDBStore(Path(path))
    if len(rest) > 1:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(rest[1]), int(rest[1])))
    for number in count(last_epoch(store) + 1):
        try:
            store.commit(changes_of(number))
        except StoreError as error:
            sys.stdout.write(f"failed: {error}\n")
            try:
                store.commit(Changes())
            except StoreError as again:
                sys.stdout.write(f"failed: {again}\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        if rest and number == int(rest[0]):
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
