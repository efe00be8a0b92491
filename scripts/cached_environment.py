"""Environments beside the repository's own, kept under .cache: other packages, other versions, other Pythons.

Needs Python's standard library alone and is imported by tests, benchmarks and scripts.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "environments"


class InstallationError(RuntimeError):
    """The environment cannot be made; the text is what pip said."""


def cached_environment(name: str, requirements: Sequence[str], python: str = sys.executable) -> Path:
    """The interpreter of an environment with exactly `requirements` (arguments of pip), made on first use.

    Safe to call from several processes at once. Raises `InstallationError` if the packages cannot be installed.
    """
    key = hashlib.sha256("\0".join([python, *requirements]).encode()).hexdigest()[:12]
    directory = CACHE / f"{name}-{key}"
    complete = directory / "complete"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            shutil.rmtree(directory, ignore_errors=True)
            run(python, "-m", "venv", str(directory))
            run(str(directory / "bin/python"), "-m", "pip", "install", "-q", *requirements)
            complete.touch()
    return directory / "bin/python"


def run(*command: str) -> None:
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise InstallationError(f"{' '.join(command)} failed: {finished.stderr.strip() or finished.stdout.strip()}")
