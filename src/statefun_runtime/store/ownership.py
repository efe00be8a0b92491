"""Who owns a data directory: a lock that the operating system drops with its process, and a note of who holds it."""

import contextlib
import fcntl
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from statefun_runtime.errors import StoreLockedError

OWNER_FILE = "OWNER"
_ATTEMPT_SECONDS = 0.05


class Ownership:
    """Holds the directory from the start until `release`, or until the process is gone."""

    def __init__(self, path: Path, timeout: float) -> None:
        """Take the directory; wait up to `timeout` seconds for an owner that is just ending.

        Raises:
            StoreLockedError: Somebody else owns it; says who and since when.
            OSError: The directory cannot be written.
        """
        self._descriptor = os.open(path / OWNER_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._descriptor, path, time.monotonic() + timeout)
            since = datetime.now(UTC).isoformat(timespec="seconds")
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"process {os.getpid()} since {since}\n".encode(), 0)
        except BaseException:
            os.close(self._descriptor)
            raise

    def release(self) -> None:
        """Let go of the directory. Once."""
        # The note is of use only while the lock is held; on a failing disk it stays, and misleads nobody.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def _lock(descriptor: int, path: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                owner = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "it does not say which one"
                raise StoreLockedError(
                    f"another process owns {path} ({owner}); stop it, or give this one another data directory"
                ) from error
        else:
            return
        time.sleep(_ATTEMPT_SECONDS)
