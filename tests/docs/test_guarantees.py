"""Every test that the documentation names exists."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.repo.documents import TEST_REFERENCE
from tests.repo.sources import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def references(page: Path) -> Iterator[tuple[str, str]]:
    yield from TEST_REFERENCE.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    missing = [f"{path}::{name}" for path, name in references(page) if name not in names_in(ROOT / path)]
    assert missing == []


def test_every_guarantee_names_a_test() -> None:
    page = (ROOT / "docs" / "concepts" / "guarantees.md").read_text(encoding="utf-8")
    promised, _, _ = page.partition("## What is not there yet")
    guarantees = re.split(r"^(?=\d+\. )", promised, flags=re.MULTILINE)[1:]
    assert len(guarantees) > 20
    assert [text for text in guarantees if not TEST_REFERENCE.search(text)] == []
