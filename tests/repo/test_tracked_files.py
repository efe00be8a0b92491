"""What is tracked belongs to every machine: no address of a package index, no path of one computer."""

import re

from tests.repo.sources import tracked_texts

# The brackets keep this file from matching itself.
INDEX = re.compile(r"[p]ypi\.org|[p]ythonhosted\.org|[n]pmjs\.(org|com)|[i]ndex-url|[m]aven\.org")
MACHINE_PATH = re.compile(r"/[r]oot/|/[h]ome/[a-z]|/[U]sers/[A-Za-z]|/[w]ork/")
UNFINISHED = re.compile(r"\b([T]ODO|[F]IXME|[X]XX)\b")


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number} {line.strip()[:80]}"
        for path, text in tracked_texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_index() -> None:
    assert places(INDEX) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert places(MACHINE_PATH) == []


def test_no_file_says_that_it_is_unfinished() -> None:
    assert places(UNFINISHED) == []
