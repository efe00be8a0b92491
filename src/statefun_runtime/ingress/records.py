"""Parses the records of a file: JSON Lines and CSV (RFC 4180), both to an id and a JSON object."""

import csv
import json
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring
from typing import NoReturn, TypeAlias, cast

Record: TypeAlias = tuple[str, bytes]
"""(the target's id, the value: one JSON object as UTF-8)."""

Parser: TypeAlias = Callable[[bytes], Record | None]
"""From a raw record, without its final line break, to a record; `None` for a blank line. Raises InvalidRecordError."""


class InvalidRecordError(Exception):
    """A raw record that cannot become a message. The text completes "line N …"."""


def json_lines_parser(key: str) -> Parser:
    """A parser for lines that each hold one JSON object; the id is its field `key`, a text or an integer.

    The value is the line as it stands, without the white space around it.
    """
    decode = json.JSONDecoder(parse_constant=_refuse_constant).decode

    def parse(raw: bytes) -> Record | None:
        line = raw.strip()
        if not line:
            return None
        try:
            value = decode(line.decode())
        except UnicodeDecodeError as error:
            raise InvalidRecordError(f"is not UTF-8: {error.reason} at byte {error.start}") from error
        except (ValueError, RecursionError) as error:
            raise InvalidRecordError(f"is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise InvalidRecordError("is JSON, but not an object")
        return _id(cast("dict[str, object]", value), key), line

    return parse


def csv_parser(columns: Sequence[str], key: str) -> Parser:
    """A parser for rows of `columns`; the id is the column `key`.

    The value is written as `json.dumps(dict(zip(columns, row)), ensure_ascii=False)` writes it: all fields are texts.
    """
    names = (encode_basestring(name).replace("%", "%%") for name in columns)
    template = "{" + ", ".join(f"{name}: %s" for name in names) + "}"
    key_index, width = columns.index(key), len(columns)

    def parse(raw: bytes) -> Record | None:
        row = csv_row(raw)
        if row is None:
            return None
        if len(row) != width:
            raise InvalidRecordError(f"has {len(row)} fields, the header has {width}")
        if not row[key_index]:
            raise InvalidRecordError(f"has nothing in column {key!r}, which holds the target's id")
        return row[key_index], (template % tuple(map(encode_basestring, row))).encode()

    return parse


def csv_row(raw: bytes) -> list[str] | None:
    """The fields of one CSV record; `None` for a blank line. Raises InvalidRecordError."""
    try:
        text = raw.decode().removesuffix("\r")
    except UnicodeDecodeError as error:
        raise InvalidRecordError(f"is not UTF-8: {error.reason} at byte {error.start}") from error
    if not text:
        return None
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader((text,), strict=True))
    except csv.Error as error:
        raise InvalidRecordError(f"is not CSV: {error}") from error


def _id(value: dict[str, object], key: str) -> str:
    found = value.get(key)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    if not isinstance(found, str) or not found:
        what = "is missing" if key not in value else f"is {json.dumps(found)[:40]}"
        raise InvalidRecordError(f"has no id: field {key!r} {what}; it must be a non-empty text or an integer")
    if not found.isascii():
        _refuse_surrogates(found)
    return found


def _refuse_surrogates(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRecordError("has an id that is not valid Unicode") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
