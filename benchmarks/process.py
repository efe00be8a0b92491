"""What the operating system and a runtime tell about it while it runs."""

import json
import os
from pathlib import Path
from typing import Any

from tests.e2e.command import Runtime, get

MIB = 1024 * 1024


def pss(process: int) -> float:
    """The proportional set size of a process in MiB: its own memory, and its part of what it shares."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith("Pss:"))
    return int(kib) / 1024


def cpu_seconds(process: int) -> float:
    """The processor time that a process has used so far, all threads together."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk(directory: Path) -> float:
    """The size of all files in a directory, in MiB. Files that go meanwhile do not count."""
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total / MIB


def status(runtime: Runtime) -> dict[str, Any]:
    """What `/status` says."""
    found: dict[str, Any] = json.loads(get(runtime.admin_port, "/status")[1])
    return found
