"""Loads module files from texts."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any, TypeAlias

from statefun_runtime.module.loader import LoadResult, load_modules
from statefun_runtime.module.problem import Problem

Load: TypeAlias = Callable[..., LoadResult]


def write_and_load(directory: Path, *texts: str, **options: Any) -> LoadResult:
    """Write each text to a file of its own (module0.yaml, module1.yaml, …) and load them in order."""
    paths = [directory / f"module{at}.yaml" for at in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(dedent(text), encoding="utf-8")
    return load_modules(paths, **options)


def spot(problem: Problem) -> str:
    """`file:line:column severity path` with the file's name alone."""
    name = Path(problem.file).name
    return f"{name}:{problem.line}:{problem.column} {problem.severity.value} {problem.path}"


def spots(result: LoadResult) -> list[str]:
    return [spot(problem) for problem in result.problems]
