import pytest

from statefun_runtime.egress.cursor import Cursor


@pytest.mark.parametrize("cursor", [Cursor("a", 0), Cursor("0f-e1", 12345678901234567)])
def test_a_cursor_is_read_as_it_was_written(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize("text", ["", "7", "-7", "a-", "a--", "a-+7", "a-7 ", "a-٣", "a-" + "9" * 19])
def test_any_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="is no cursor"):
        Cursor.parse(text)
