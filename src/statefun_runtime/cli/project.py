"""The files of a new project, from the templates beside this file."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Template

_SUFFIX = ".template"
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")


def check_name(name: str) -> None:
    """Raise a ValueError if `name` cannot be the name of a project, a namespace and a package at once."""
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot name a project: use lower-case letters, digits, - and _, beginning with a letter"
        )


def project_files(name: str) -> Iterator[tuple[str, str]]:
    """The name and the text of each file of a project called `name`. `dot-` in a template's name stands for a dot."""
    values = {"name": name, "title": name.replace("-", " ").replace("_", " ").capitalize()}
    for entry in sorted(files("statefun_runtime.cli").joinpath("template").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(_SUFFIX):
            file = entry.name.removesuffix(_SUFFIX).replace("dot-", ".")
            yield file, Template(entry.read_text(encoding="utf-8")).substitute(values)


def write_project(directory: Path, name: str) -> list[str]:
    """Write the files of a project into `directory`, which is made if it is not there; return their names.

    Raises:
        FileExistsError: The directory holds something already.
        OSError: It cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty; choose another name or empty it")
    written: list[str] = []
    for file, text in project_files(name):
        (directory / file).write_text(text, encoding="utf-8")
        written.append(file)
    return written
