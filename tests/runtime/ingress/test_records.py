import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.ingress.records import InvalidRecordError, csv_parser, csv_row, json_lines_parser

FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8)


def test_the_value_of_a_json_line_is_the_line_as_it_stands() -> None:
    parse = json_lines_parser("id")
    assert parse(b' {"id":"a",  "n": 1.50} \r') == ("a", b'{"id":"a",  "n": 1.50}')


def test_an_integer_is_an_id() -> None:
    assert json_lines_parser("id")(b'{"id": 42}') == ("42", b'{"id": 42}')


def test_a_blank_line_is_no_record() -> None:
    assert json_lines_parser("id")(b" \t\r") is None
    assert csv_parser(["id"], "id")(b"\r") is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "a"', "is not JSON"),
        (b'{"id": "a", "n": NaN}', "NaN is not JSON"),
        (b'["a"]', "not an object"),
        (b'{"id": "\xff"}', "is not UTF-8"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"other": 1}', "field 'id' is missing"),
        (b'{"id": ""}', "field 'id' is \"\""),
        (b'{"id": null}', "field 'id' is null"),
        (b'{"id": true}', "field 'id' is true"),
        (b'{"id": 1.5}', "field 'id' is 1.5"),
        (b'{"id": "\\ud800"}', "not valid Unicode"),
    ],
)
def test_a_json_line_that_cannot_become_a_message_says_why(line: bytes, reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=reason):
        json_lines_parser("id")(line)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"a", "has 1 fields, the header has 2"),
        (b"a,b,c", "has 3 fields, the header has 2"),
        (b",b", "nothing in column 'id'"),
        (b"\xff,b", "is not UTF-8"),
        (b'"a,b', "is not CSV"),
        (b'"a"x,b', "is not CSV"),
    ],
)
def test_a_csv_row_that_cannot_become_a_message_says_why(row: bytes, reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=reason):
        csv_parser(["id", "n"], "id")(row)


def test_a_csv_row_becomes_a_json_object_of_texts() -> None:
    parse = csv_parser(["id", '100% "x"', "ü"], "ü")
    record = parse('1,"a ""quoted"", text",ö\r'.encode())
    assert record is not None
    target_id, value = record
    assert target_id == "ö"
    expected = {"id": "1", '100% "x"': 'a "quoted", text', "ü": "ö"}
    assert value == json.dumps(expected, ensure_ascii=False).encode()


@given(st.lists(FIELD, min_size=2, max_size=5))
def test_any_row_that_the_csv_module_writes_is_read_back(row: list[str]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerow(row)
    assert csv_row(written.getvalue().removesuffix("\n").encode()) == row
