"""Makes the adapters of the load known to a `statefun run`, as an installed package does: by entry points."""

import os
from pathlib import Path

from tests.e2e.command import ROOT

_ENTRY_POINTS = """\
[statefun.ingresses]
benchmarks.load/ingress = benchmarks.load.adapters:LoadIngress
[statefun.egresses]
benchmarks.load/egress = benchmarks.load.adapters:ArrivalsEgress
"""


def environment(directory: Path) -> dict[str, str]:
    """An environment for a process that finds them; what they need is written to `directory`."""
    package = directory / "benchmarks_load-0.dist-info"
    package.mkdir(exist_ok=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: benchmarks-load\nVersion: 0\n", encoding="ascii")
    (package / "entry_points.txt").write_text(_ENTRY_POINTS, encoding="ascii")
    return {**os.environ, "PYTHONPATH": f"{directory}{os.pathsep}{ROOT}"}
