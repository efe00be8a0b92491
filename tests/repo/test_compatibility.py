"""docs/reference/compatibility.md has a row for each part of the protocol and of module files, each with a test."""

import re
from collections.abc import Iterator

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


def cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip("|").split("|")]


def spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


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
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    section = text.partition(f"\n### `{kind}`\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    firsts = [cells(row)[0] for row in section.splitlines() if row.startswith("| `")]
    named = {part for first in firsts for span in spans(first) for part in span.split(".")}
    assert sorted(property_names(KINDS[kind]) - named) == []


@pytest.mark.parametrize("section", COLUMNS)
def test_every_row_has_all_its_cells(section: str) -> None:
    rows = list(table_rows(PAGE, section))
    assert rows
    assert [row for row in rows if len(cells(row)) != COLUMNS[section] or not all(cells(row))] == []


@pytest.mark.parametrize("section", ["The protocol", "Module files"])
def test_every_row_names_a_test(section: str) -> None:
    assert [row for row in table_rows(PAGE, section) if not TEST_REFERENCE.search(cells(row)[-1])] == []
