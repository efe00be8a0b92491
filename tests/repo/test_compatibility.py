"""docs/reference/compatibility.md has a row for each part of the protocol and of module files, each with a test."""

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest
from google.protobuf.descriptor import Descriptor

from statefun.protocol import egress_pb2, request_reply_pb2, types_pb2
from statefun_runtime.module.kinds import EGRESSES, ENDPOINTS, INGRESSES
from tests.conformance.differences import DIFFERENCES
from tests.repo.documents import TEST_REFERENCE, table_rows
from tests.repo.sources import ROOT
from tests.runtime.module.properties import property_names

PAGE = "docs/reference/compatibility.md"
KINDS = {**ENDPOINTS, **INGRESSES, **EGRESSES}
COLUMNS = {"The protocol": 9, "Module files": 4, "Replies beside the Go SDK's": 4}
HEADS = {
    "The protocol": ("Flink 3.3", "this runtime", "Go", "JavaScript", "Java", "Python", "this SDK"),
    "Module files": ("Flink 3.3", "this runtime"),
}
SDKS = {"Go", "JavaScript", "Java", "Python", "this SDK"}
RUNS = {
    "tests/sdk/": {"this SDK"},
    "tests/runtime/": {"this runtime"},
    "tests/kafka/": {"this runtime"},
    "tests/kinesis/": {"this runtime"},
    "tests/flink/": {"Flink 3.3"},
    "tests/protocol/": {"Python", "this SDK"},
    "tests/conformance/test_replies.py": {"Go", "this SDK"},
    "tests/conformance/test_trees.py": {"this runtime", *SDKS},
    "tests/conformance/test_undertow.py": {"this runtime", "Java"},
    "tests/conformance/test_quirks.py": SDKS,
    "tests/conformance/test_fields.py": SDKS - {"this SDK"},
}
"""Which columns a test is about, by where it stands."""
NO_CONCERN = "—"


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def told_in(section: str, row: str) -> dict[str, str]:
    """What a row tells, by column."""
    return dict(zip(HEADS[section], cells(row)[1:-1], strict=True))


def named_in(row: str) -> list[tuple[str, str]]:
    """File and name of each test that a row names."""
    return TEST_REFERENCE.findall(cells(row)[-1])


def columns_of(file: str) -> set[str]:
    """The columns that the tests of a file are about."""
    return {column for place, columns in RUNS.items() if file.startswith(place) for column in columns}


def rows_of(kind: str) -> list[str]:
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    section = text.partition(f"\n### `{kind}`\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    return [row for row in section.splitlines() if row.startswith("| `")]


def properties_in(row: str) -> set[str]:
    return {part for span in spans(cells(row)[0]) for part in span.split(".")}


@cache
def sources_in(file: str) -> dict[str, str]:
    """The text of each function and constant of a file, by name."""
    text = (ROOT / file).read_text(encoding="utf-8")
    sources: dict[str, str] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            parts = [*node.decorator_list, node]
            sources[node.name] = "".join(ast.get_source_segment(text, part) or "" for part in parts)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            sources[node.targets[0].id] = ast.get_source_segment(text, node) or ""
    return sources


@cache
def words_of(file: str, name: str) -> frozenset[str]:
    """All words in a test, and in the functions and constants of its file that it uses."""
    sources = sources_in(file)
    waiting, seen, words = {name}, {name}, set[str]()
    while waiting:
        found = set(re.findall(r"\w+", sources[waiting.pop()]))
        words |= found
        waiting |= (found & sources.keys()) - seen
        seen |= waiting
    return frozenset(words)


def messages(descriptor: Descriptor, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """The names of a message and of those within it, each with its fields."""
    yield path + descriptor.name, [field.name for field in descriptor.fields]
    for nested in descriptor.nested_types:
        yield from messages(nested, f"{path}{descriptor.name}.")


def test_every_difference_from_the_go_sdk_is_a_row() -> None:
    assert [cells(row)[0] for row in table_rows(PAGE, "Replies beside the Go SDK's")] == list(DIFFERENCES)


def test_every_message_and_field_of_the_protocol_has_a_row() -> None:
    told: dict[str, set[str]] = {}
    for row in table_rows(PAGE, "The protocol"):
        first, *others = spans(cells(row)[0]) or [""]
        told.setdefault(first, set()).update(others)
    files = [module.DESCRIPTOR for module in (request_reply_pb2, types_pb2, egress_pb2)]
    wanted = [found for file in files for message in file.message_types_by_name.values() for found in messages(message)]
    assert len(wanted) > 20
    missing = [f"{name}.{field}" for name, fields in wanted for field in fields if field not in told.get(name, ())]
    assert missing == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_property_of_a_kind_has_a_row(kind: str) -> None:
    named = {name for row in rows_of(kind) for name in properties_in(row)}
    assert sorted(property_names(KINDS[kind]) - named) == []


@pytest.mark.parametrize("section", COLUMNS)
def test_every_row_has_all_its_cells(section: str) -> None:
    rows = list(table_rows(PAGE, section))
    assert rows
    assert [row for row in rows if len(cells(row)) != COLUMNS[section] or not all(cells(row))] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_property_is_in_a_test_of_its_row(kind: str) -> None:
    missing = [
        name
        for row in rows_of(kind)
        for name in sorted(properties_in(row))
        if not any(name in words_of(*test) for test in named_in(row))
    ]
    assert missing == []


@pytest.mark.parametrize("section", HEADS)
def test_every_named_test_exists_and_is_about_a_column(section: str) -> None:
    named = {test for row in table_rows(PAGE, section) for test in named_in(row)}
    assert named
    assert sorted(test for test in named if test[1] not in sources_in(test[0]) or not columns_of(test[0])) == []


@pytest.mark.parametrize("section", HEADS)
def test_every_cell_that_concerns_its_column_is_held_by_a_test_of_its_row(section: str) -> None:
    unheld: list[tuple[str, str]] = []
    for row in table_rows(PAGE, section):
        held = {column for file, _ in named_in(row) for column in columns_of(file)}
        for head, cell in told_in(section, row).items():
            if head not in held and cell != NO_CONCERN:
                unheld.append((cells(row)[0], head))
    assert unheld == []
