"""Savepoints of Flink Stateful Functions as lines of JSON, and the other way round: by our own Java, in java/state."""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeAlias

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.archives import LOCAL, java
from statefun_runtime.flink.java_classes import compiled
from statefun_runtime.flink.maven import Cache

Line: TypeAlias = dict[str, Any]
"""A line between this process and Java: `kind` says which fields it has. The last one is of the kind `end`."""

MAX_PARALLELISM = 128
"""What Flink takes for a job of at most 85 subtasks; a restored job keeps that of its savepoint."""

STATE_SOURCE = Path(__file__).parent / "java" / "state"
"""The program that reads and writes savepoints."""

_SHOWN = 3000
"""Characters of what Java said when it failed."""


def read_savepoint(path: Path, cache: Cache) -> Iterator[Line]:
    """What is in a savepoint: states first, then the values of each key group, a line of the kind `group` behind each.

    Raises:
        FlinkError: It cannot be read, or it is none of Stateful Functions in the canonical format.
    """
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603  # our own words and paths
            _command(cache, "read", str(path.resolve())),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
        )
        try:
            whole = False
            for text in _pipe(process.stdout):
                line: Line = json.loads(text)
                whole = line["kind"] == "end"
                yield line
            if process.wait() != 0 or not whole:
                raise FlinkError(f"the savepoint {path} cannot be read:\n{_told(log)}")
        finally:
            process.kill()
            process.wait()
            _pipe(process.stdout).close()


def write_savepoint(lines: Iterable[Line], directory: Path, max_parallelism: int, cache: Cache) -> None:
    """Make a savepoint of states and their values at `directory`, which must be new or empty.

    Args:
        lines: Each state before its values.
        directory: The savepoint; nothing is written there unless all lines came.
        max_parallelism: How many key groups it has, and so how many subtasks of functions a job on it has at most.
        cache: Where the archives of Flink are.

    Raises:
        FlinkError: The directory is not empty, or the savepoint cannot be written.
    """
    if directory.exists() and any(directory.iterdir()):
        raise FlinkError(f"{directory} is not empty; name a new or an empty directory")
    command = _command(cache, "write", str(directory.resolve()), str(max_parallelism))
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)  # noqa: S603  # our own words and paths
        try:
            done = _send(lines, _pipe(process.stdin))
            if process.wait() != 0 or not done:
                raise FlinkError(f"the savepoint {directory} cannot be written:\n{_told(log)}")
        finally:
            process.kill()
            process.wait()


def _send(lines: Iterable[Line], pipe: IO[bytes]) -> bool:
    """Write all lines and the last one; return whether Java took them."""
    try:
        with pipe:
            for line in lines:
                pipe.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            pipe.write(b'{"kind":"end"}\n')
    except BrokenPipeError:
        return False
    return True


def _command(cache: Cache, *arguments: str) -> list[str]:
    archives = cache.jars(LOCAL)
    classes = os.pathsep.join(map(str, (compiled(STATE_SOURCE, archives, cache), *archives)))
    return [str(java()), "-XX:+UseSerialGC", "-cp", classes, "StateBridge", *arguments]


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise FlinkError("the process has no pipe")
    return pipe


def _told(log: IO[bytes]) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-_SHOWN:].strip()
