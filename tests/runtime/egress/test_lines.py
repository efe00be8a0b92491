import base64
import json
import struct

import pytest

from statefun.protocol import types_pb2
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.egress.lines import to_line
from statefun_runtime.errors import EgressError

from .records import texts, typed


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain, not JSON", "plain, not JSON"),
        ('{"a":  "ü"}', '{"a":  "ü"}'),
        ("", ""),
        ("two\nlines", '"two\\nlines"'),
        ("carriage\rreturn ü", '"carriage\\rreturn ü"'),
    ],
)
def test_a_text_is_a_line(text: str, line: str) -> None:
    assert to_line(texts(text)[0]) == line.encode() + b"\n"


@pytest.mark.parametrize(
    ("typename", "wrapper", "line"),
    [
        ("bool", types_pb2.BooleanWrapper(value=False), b"false\n"),
        ("int", types_pb2.IntWrapper(value=-3), b"-3\n"),
        ("long", types_pb2.LongWrapper(value=1 << 40), b"1099511627776\n"),
        ("float", types_pb2.FloatWrapper(value=0.5), b"0.5\n"),
        ("double", types_pb2.DoubleWrapper(value=0.1), b"0.1\n"),
    ],
)
def test_a_primitive_is_its_json_literal(typename: str, wrapper: types_pb2.IntWrapper, line: bytes) -> None:
    assert to_line(typed(f"io.statefun.types/{typename}", wrapper.SerializeToString())) == line


def test_json_of_any_type_is_put_on_one_line() -> None:
    value = {"a": ["two\nlines", 1], "ü": None}
    line = to_line(typed("test/Json", json.dumps(value, indent=2, ensure_ascii=False).encode()))
    assert line.count(b"\n") == 1
    assert json.loads(line) == value


@pytest.mark.parametrize(
    ("typename", "value"),
    [
        ("test/Binary", b"\x00\xff\n"),
        ("test/Text", b"no JSON"),
        ("test/Json", b"NaN"),
        ("io.statefun.types/string", b"\xff"),
        ("io.statefun.types/double", struct.pack("<Bd", 9, float("inf"))),
    ],
)
def test_everything_else_is_base64_with_its_typename(typename: str, value: bytes) -> None:
    line = to_line(typed(typename, value))
    assert json.loads(line) == {"typename": typename, "value": base64.b64encode(value).decode()}
    assert line.count(b"\n") == 1


def test_a_record_without_a_value_is_null() -> None:
    assert to_line(TypedValue(typename="test/Any").SerializeToString()) == b"null\n"


def test_what_is_no_typed_value_is_an_error() -> None:
    with pytest.raises(EgressError, match="a record of 1 bytes is no typed value"):
        to_line(b"\xff")
