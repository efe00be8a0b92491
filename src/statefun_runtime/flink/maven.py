"""Archives of Java from Maven Central or a mirror of it, fetched once into a cache by the package jgo."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from statefun_runtime.errors import FlinkError

ATTEMPTS = 3
ATTEMPT_SECONDS = 300.0
PROGRESS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Archives:
    """A set of archives: what people call it, and the coordinates (group:artifact:version) that it is resolved from."""

    name: str
    coordinates: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names a directory of the cache; another set has another one."""
        return hashlib.sha256("+".join(self.coordinates).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Cache:
    """Where archives are kept, where they come from, and who is told of progress."""

    directory: Path
    report: Callable[[str], None]
    mirror: str | None = None
    """The URL of a Maven repository to ask in place of Maven Central."""

    def jars(self, archives: Archives) -> tuple[Path, ...]:
        """All archives of a set and what they depend on, in order of their names; fetched unless they are here.

        Raises:
            FlinkError: They cannot be fetched.
        """
        return tuple(sorted(self._ready(archives).glob("*.jar")))

    def _ready(self, archives: Archives) -> Path:
        """The directory of a set; what is there is complete."""
        ready = self.directory / archives.key
        if ready.is_dir():
            return ready
        work = ready.with_name(f"{ready.name}-{os.getpid()}")
        work.mkdir(parents=True, exist_ok=True)
        try:
            self._fetch(archives, work)
            _publish(work, ready)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return ready

    def _fetch(self, archives: Archives, work: Path) -> None:
        """Let jgo fetch into a directory; a further attempt goes on with what the former one brought."""
        log = work / "jgo.log"
        source = self.mirror or "Maven Central"
        for attempt in range(1, ATTEMPTS + 1):
            again = "" if attempt == 1 else f", attempt {attempt} of {ATTEMPTS}"
            self.report(f"fetching {archives.name} from {source} into {self.directory}{again}")
            if self._run_jgo(archives.coordinates, work, log):
                return
            _drop_damaged(work)
        raise FlinkError(
            f"{archives.name} cannot be fetched from {source} in {ATTEMPTS} attempts of at most {ATTEMPT_SECONDS:.0f} "
            f"s. May this machine read it? The last words of jgo:\n{log.read_text()[-2000:]}"
        )

    def _run_jgo(self, coordinates: Sequence[str], work: Path, log: Path) -> bool:
        """One attempt, with progress now and then. Returns whether all archives came."""
        options = ["--ignore-config", "--resolver", "python", "--color", "plain"]
        options += ["--cache-dir", str(work / "cache"), "--repo-cache", str(work / "repository")]
        options += [] if self.mirror is None else ["--repository", f"central:{self.mirror}"]
        command = [sys.executable, "-m", "jgo", *options, "info", "classpath", "+".join(coordinates)]
        give_up = time.monotonic() + ATTEMPT_SECONDS
        with log.open("wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603  # our own words and paths
            try:
                while time.monotonic() < give_up:
                    try:
                        return process.wait(PROGRESS_SECONDS) == 0 and not _damaged(work)
                    except subprocess.TimeoutExpired:
                        self._tell_progress(work)
            finally:
                process.kill()
                process.wait()
        return False

    def _tell_progress(self, work: Path) -> None:
        sizes = [archive.stat().st_size for archive in (work / "repository").rglob("*.jar")]
        self.report(f"  {len(sizes)} archives, {sum(sizes) / 1e6:.0f} MB so far")


def _damaged(work: Path) -> list[Path]:
    """The archives that are not whole."""
    return [archive for archive in work.rglob("*.jar") if not zipfile.is_zipfile(archive)]


def _drop_damaged(work: Path) -> None:
    for archive in _damaged(work):
        archive.unlink()


def _publish(work: Path, ready: Path) -> None:
    """Give the archives their place, all at once; another process may have been faster."""
    found = {archive.name: archive for archive in (work / "cache" / "envs").rglob("*.jar")}
    if not found:
        raise FlinkError(f"jgo brought no archives: {(work / 'jgo.log').read_text()[-2000:]}")
    complete = work / "complete"
    complete.mkdir()
    for archive in found.values():
        shutil.copyfile(archive, complete / archive.name)
    try:
        complete.rename(ready)
    except OSError:
        if not ready.is_dir():
            raise
