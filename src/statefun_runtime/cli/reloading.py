"""`--reload`: workers are replaced when a Python file below the working directory changes."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from statefun_runtime.endpoint.workers import Workers

INTERVAL_SECONDS: Final = 0.3
"""Between two looks at the files. Some hundred files cost a few milliseconds; a watcher would be two more packages."""
_OF_NO_INTEREST: Final = {"__pycache__", "node_modules"}
_ENVIRONMENT: Final = "pyvenv.cfg"

_log = logging.getLogger(__name__)


@asynccontextmanager
async def reloading(workers: Workers, directory: Path) -> AsyncGenerator[None]:
    """Watch the files of a directory as long as the block runs."""
    watching = asyncio.create_task(_watch(workers, directory), name="reload")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(workers: Workers, directory: Path) -> None:
    before = python_files(directory)
    while True:
        await asyncio.sleep(INTERVAL_SECONDS)
        now = python_files(directory)
        changed = {path for path, _ in before.items() ^ now.items()}
        if changed:
            before = now
            _log.info("changed: %s", _names(changed, directory))
            if await workers.reload():
                _log.info("the functions are reloaded")


def _names(paths: Iterable[str], directory: Path) -> str:
    return ", ".join(sorted(os.path.relpath(path, directory) for path in paths))


def python_files(directory: Path) -> Mapping[str, int]:
    """When each Python file of a directory was changed, but for those of hidden directories and of environments."""
    return dict(_files(directory))


def _files(directory: Path) -> Iterator[tuple[str, int]]:
    for root, directories, files in os.walk(directory):
        if _ENVIRONMENT in files:
            directories.clear()
            continue
        directories[:] = [name for name in directories if name not in _OF_NO_INTEREST and not name.startswith(".")]
        for name in files:
            if name.endswith(".py"):
                path = os.path.join(root, name)  # noqa: PTH118  # a Path for each file would cost as much as the rest
                with suppress(FileNotFoundError):
                    yield path, os.stat(path).st_mtime_ns  # noqa: PTH116
