"""Run the SDK's tests on the other versions of Python and protobuf that it supports, where this machine has them.

The environments are kept under .cache/. Says at the end what was run and which interpreters were not found.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from scripts.cached_environment import ROOT, cached_environment

TESTS = ("tests/sdk", "tests/protocol")


@dataclass(frozen=True, slots=True)
class Combination:
    """A version of CPython and a requirement on protobuf."""

    python: str
    protobuf: str


COMBINATIONS = (
    Combination("3.11", "protobuf==5.29.*"),
    Combination("3.11", "protobuf==6.*"),
    Combination("3.11", "protobuf==7.*"),
    Combination("3.12", "protobuf==7.*"),
    Combination("3.13", "protobuf==7.*"),
    Combination("3.14", "protobuf==7.*"),
)


def main() -> int:
    results = [run(combination) for combination in COMBINATIONS]
    print("\n".join(text for text, _ in results), flush=True)
    return 0 if all(succeeded for _, succeeded in results) else 1


def run(combination: Combination) -> tuple[str, bool]:
    """Run the fast tests on one combination: what came of it, and whether it is no failure."""
    name = f"CPython {combination.python}, {combination.protobuf}"
    python = find_python(combination.python)
    if python is None:
        return f"not found  {name}", True
    print(f"--- {name}", flush=True)
    started = time.monotonic()
    interpreter = cached_environment(f"py{combination.python}", requirements(combination), python)
    command = [str(interpreter), "-m", "pytest", "-q", "-m", "not slow", "-p", "no:cacheprovider", *TESTS]
    finished = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, check=False)
    succeeded = finished.returncode == 0
    return f"{'passed' if succeeded else 'FAILED':<10} {name} ({time.monotonic() - started:.0f} s)", succeeded


def requirements(combination: Combination) -> list[str]:
    """What the SDK's tests import, pinned as in constraints.txt, but for protobuf."""
    pins = [
        line
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith(("#", "protobuf=="))
    ]
    wanted = {"hypothesis", "pydantic", "pytest", "pytest-asyncio", "pytest-timeout"}
    return [combination.protobuf, *(pin for pin in pins if pin.partition("==")[0].lower() in wanted)]


def find_python(version: str) -> str | None:
    """A working interpreter of this version: of pyenv, or on the path."""
    candidates = [str(path) for path in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    on_path = shutil.which(f"python{version}")
    candidates += [on_path] if on_path else []
    return next((candidate for candidate in candidates if answers(candidate, version)), None)


def answers(python: str, version: str) -> bool:
    """Whether it starts and is of this version; a shim on the path may be neither."""
    code = "import sys; print('{}.{}'.format(*sys.version_info[:2]))"
    answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return answer.stdout.strip() == version


if __name__ == "__main__":
    sys.exit(main())
