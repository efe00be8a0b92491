"""The text of the documentation, and what Markdown tables and links say in it."""

import re
from collections.abc import Iterator
from functools import cache

from tests.repo.sources import ROOT

TEST_REFERENCE = re.compile(r"(tests/[\w/.-]+\.py)::(\w+)")


@cache
def documentation() -> str:
    """All pages of docs/ and the README, as one text."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def table_rows(page: str, section: str | None = None) -> Iterator[str]:
    """The rows of the tables of a page, or of one of its sections of the second level, without heads and rules."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if section is not None:
        text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        is_rule = re.fullmatch(r"\|[\s|:-]+", line)
        is_head = re.fullmatch(r"\|[\s|:-]+", following)
        if line.startswith("|") and not is_rule and not is_head:
            yield line


def is_mentioned(name: str) -> bool:
    """Whether the name stands in the documentation as a word of its own."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", documentation()) is not None
