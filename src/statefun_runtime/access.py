"""How a command of the same user reaches the runtime that owns a data directory: a file in it, with a token.

The token is new at every start. Who can read the file could read the data as well, so it opens nothing further.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, cast

from statefun_runtime.errors import DiskError

_FILE = "admin.json"
_MAX_BYTES = 65536


class Access(NamedTuple):
    """Where the admin server of a runtime listens, and what it wants to be told before it changes anything."""

    host: str
    port: int
    token: str


def write_access(data_dir: Path, access: Access) -> None:
    """Tell commands how to reach this process. Raises DiskError."""
    new = data_dir / f"{_FILE}.new"
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(access._asdict(), file)
        new.replace(data_dir / _FILE)
    except OSError as error:
        raise DiskError(f"the data directory {data_dir} cannot be written: {error}; free or repair it") from error


def remove_access(data_dir: Path) -> None:
    """Take back what `write_access` wrote; a file that stays behind only leads nowhere."""
    with suppress(OSError):
        (data_dir / _FILE).unlink()


def read_access(data_dir: Path) -> Access | None:
    """What the owner of a data directory has written; `None` if there is nothing readable."""
    try:
        with (data_dir / _FILE).open("rb") as file:
            fields = cast("object", json.loads(file.read(_MAX_BYTES)))
    except (OSError, ValueError):
        return None
    match fields:
        case {"host": str() as host, "port": int() as port, "token": str() as token}:
            return Access(host, port, token)
        case _:
            return None
