"""docs/reference/compatibility.md lists what it must."""

from tests.conformance.differences import DIFFERENCES
from tests.repo.documents import table_rows

PAGE = "docs/reference/compatibility.md"


def first_cells(section: str) -> list[str]:
    """The first cells of the tables of a section, up to the next one."""
    return [row.split("|")[1].strip() for row in table_rows(PAGE, section)]


def test_every_difference_from_the_go_sdk_is_a_row() -> None:
    assert first_cells("Replies beside the Go SDK's") == list(DIFFERENCES)
