"""Makes files and directories durable, so that a loss of power does not take them. Everything here blocks."""

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Make the content of a file durable, or the names in a directory. Raises OSError.

    A file that is new or was renamed needs both: a synced file without a name would be lost.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(path: Path) -> None:
    """Make a directory durable with everything in it. Raises OSError."""
    for directory, _, files in os.walk(path):
        for name in files:
            sync(Path(directory, name))
        sync(Path(directory))


def make_directory(path: Path) -> None:
    """Make a directory and its parents, unless they are there. Raises OSError.

    Their names are synced: without one, a loss of power could take all that is in it.
    """
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync(path.parent)
