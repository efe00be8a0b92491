"""constraints.txt pins what pyproject.toml asks for."""

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repo.sources import ROOT


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def requirements() -> list[Requirement]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        declared = tomllib.load(file)
    project = declared["project"]
    groups = [*project["optional-dependencies"].values(), *declared["dependency-groups"].values()]
    texts = [
        *project["dependencies"],
        *declared["build-system"]["requires"],
        *(text for group in groups for text in group),
    ]
    return [requirement for requirement in map(Requirement, texts) if requirement.name != project["name"]]


def test_every_line_of_the_constraints_is_an_exact_pin() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    exact = re.compile(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+")
    assert [line for line in lines if not exact.fullmatch(line)] == []


def test_every_requirement_is_pinned_to_a_version_it_allows() -> None:
    pinned = pins()
    wrong = [
        str(asked)
        for asked in requirements()
        if not asked.specifier.contains(pinned.get(canonicalize_name(asked.name), "0"))
    ]
    assert wrong == []
