"""This package's own Java, compiled on the machine that runs it and kept in the cache of archives."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.archives import COMPILER, java
from statefun_runtime.flink.maven import Cache

LOCAL_SOURCE = Path(__file__).parent / "java" / "local"
"""The kinds of the playground for Flink, which a local run adds to it."""

_RELEASE = "17"


def compiled(source: Path, libraries: Sequence[Path], cache: Cache) -> Path:
    """The classes of a directory of Java, with its META-INF: a directory for a class path.

    Compiled once: for other sources or other libraries again.

    Raises:
        FlinkError: There is no Java, the compiler cannot be fetched, or it refuses the sources.
    """
    ready = cache.directory / f"classes-{_key(source, libraries)}"
    if ready.is_dir():
        return ready
    work = ready.with_name(f"{ready.name}-{os.getpid()}")
    shutil.copytree(source, work, dirs_exist_ok=True)
    try:
        _compile(work, libraries, cache)
        work.rename(ready)
    except OSError as error:
        if not ready.is_dir():  # another process may have been faster
            raise FlinkError(f"{ready} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return ready


def _compile(work: Path, libraries: Sequence[Path], cache: Cache) -> None:
    compiler = cache.jars(COMPILER)[0]
    options = [f"-{_RELEASE}", "-proc:none", "-nowarn", "-cp", os.pathsep.join(map(str, libraries))]
    done = subprocess.run([java(), "-jar", compiler, *options, str(work)], capture_output=True, text=True, check=False)  # noqa: S603  # our own words and paths
    if done.returncode != 0:
        raise FlinkError(f"the Java of this package cannot be compiled:\n{done.stdout}{done.stderr}")


def _key(source: Path, libraries: Sequence[Path]) -> str:
    digest = hashlib.sha256("\n".join(library.name for library in libraries).encode())
    for file in sorted(source.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(source)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]
