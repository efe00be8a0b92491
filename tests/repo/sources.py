"""The repository's tracked files, and the syntax trees of its packages."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
GENERATED = re.compile(r"_pb2\.pyi?$")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """A module of `src`: its path in the repository, dotted name, text and syntax tree."""

    path: str
    name: str
    text: str
    tree: ast.Module

    def is_package(self) -> bool:
        return self.path.endswith("__init__.py")

    def functions(self) -> Iterator[Function]:
        """All functions, methods and inner functions."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


@cache
def modules() -> tuple[Module, ...]:
    """All modules of `src` that are written by hand."""
    paths = sorted(path for path in SOURCE.rglob("*.py") if not GENERATED.search(path.name))
    return tuple(module_of(path) for path in paths)


def module_of(path: Path) -> Module:
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    text = path.read_text(encoding="utf-8")
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path.relative_to(ROOT).as_posix(), name, text, ast.parse(text))


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Path and text of every file that git tracks, apart from binary ones."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for path in listed.stdout.split("\0"):
        if path and (ROOT / path).is_file():
            data = (ROOT / path).read_bytes()
            if b"\0" not in data:
                yield path, data.decode("utf-8")
