"""Kafka's archives, fetched once from Maven Central into the user's cache by the package jgo.

`python -m scripts.kafka_archives` fetches them before anything needs them.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

VERSION = "4.1.2"
# The clients are named too, or the logger brings another version of them.
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{VERSION}+org.apache.kafka:kafka-clients:{VERSION}"
    "+org.apache.logging.log4j:log4j-slf4j-impl:2.25.3"
)
ATTEMPTS = 3
ATTEMPT_SECONDS = 300.0
PROGRESS_SECONDS = 10.0


class ArchivesError(Exception):
    """Kafka's archives cannot be had; the text says why and what to do."""


def class_path() -> str:
    """Java's class path of Kafka, whose archives are fetched unless the cache has them. Raises ArchivesError."""
    return os.pathsep.join(str(archive) for archive in sorted(archives().glob("*.jar")))


def archives() -> Path:
    """The directory of all archives; what is there is complete."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    ready = caches / "statefun-tests" / f"kafka-{hashlib.sha256(COORDINATES.encode()).hexdigest()[:16]}"
    if not ready.is_dir():
        work = ready.with_name(f"{ready.name}-{os.getpid()}")
        work.mkdir(parents=True)
        try:
            fetch(work)
            publish(work, ready)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return ready


def fetch(work: Path) -> None:
    """Let jgo fetch into a directory; a further attempt goes on with what the former one brought."""
    log = work / "jgo.log"
    for attempt in range(1, ATTEMPTS + 1):
        print(f"fetching Apache Kafka {VERSION} from Maven Central, attempt {attempt} of {ATTEMPTS}", flush=True)
        if run_jgo(work, log):
            return
        drop_damaged(work)
    raise ArchivesError(
        f"the archives of Apache Kafka, which its tests need, cannot be fetched from Maven Central in {ATTEMPTS} "
        f"attempts of at most {ATTEMPT_SECONDS:.0f} s. May this machine read it? The last words of jgo:\n"
        f"{log.read_text()[-2000:]}"
    )


def run_jgo(work: Path, log: Path) -> bool:
    """One attempt, with a line of progress now and then. Returns whether all archives came."""
    jgo = Path(sys.executable).with_name("jgo")
    options = ("--resolver", "python", "--cache-dir", str(work / "cache"), "--repo-cache", str(work / "repository"))
    give_up = time.monotonic() + ATTEMPT_SECONDS
    with log.open("wb") as output:
        process = subprocess.Popen([jgo, *options, "info", "classpath", COORDINATES], stdout=output, stderr=output)
        try:
            while time.monotonic() < give_up:
                try:
                    return process.wait(PROGRESS_SECONDS) == 0 and not damaged(work)
                except subprocess.TimeoutExpired:
                    found = list(work.rglob("repository/**/*.jar"))
                    size = sum(archive.stat().st_size for archive in found)
                    print(f"  {len(found)} archives, {size / 1e6:.0f} MB so far", flush=True)
        finally:
            process.kill()
            process.wait()
    return False


def damaged(work: Path) -> list[Path]:
    """The archives that are not whole."""
    return [archive for archive in work.rglob("*.jar") if not zipfile.is_zipfile(archive)]


def drop_damaged(work: Path) -> None:
    for archive in damaged(work):
        archive.unlink()


def publish(work: Path, ready: Path) -> None:
    """Give the archives their place, all at once; another process may have been faster."""
    found = {archive.name: archive for archive in (work / "cache" / "envs").rglob("*.jar")}
    if not found:
        raise ArchivesError(f"jgo brought no archives of Kafka: {(work / 'jgo.log').read_text()[-2000:]}")
    complete = work / "complete"
    complete.mkdir()
    for archive in found.values():
        shutil.copyfile(archive, complete / archive.name)
    try:
        complete.rename(ready)
    except OSError:
        if not ready.is_dir():
            raise


def main() -> int:
    try:
        where = archives()
    except ArchivesError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Apache Kafka {VERSION} is in {where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
