import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun import Float64Type, Int32Type, StringType, Type
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.egress.record_line import to_line

from .records import typed


def fields(payload: bytes) -> dict[str, object]:
    line = to_line("l-7", payload)
    assert line.startswith(b'{"cursor":"l-7",')
    assert line.endswith(b"\n")
    assert b"\n" not in line[:-1]
    assert b"\r" not in line
    found: dict[str, object] = json.loads(line)
    return {name: found[name] for name in found if name != "cursor"}


@pytest.mark.parametrize(
    ("tpe", "value"), [(StringType, "grüß\n\r\u2028"), (Int32Type, 0), (Int32Type, -7), (Float64Type, 0.1)]
)
def test_a_primitive_is_its_json_value(tpe: Type[object], value: object) -> None:
    assert fields(typed(tpe.typename, tpe.serialize(value))) == {"typename": tpe.typename, "value": value}


def test_json_stays_as_it_is_on_one_line() -> None:
    assert to_line("l-1", typed("a/b", '\n{"n": 1.50,\r\n"t":"ü\\n"}'.encode())) == (
        '{"cursor":"l-1","typename":"a/b","value":{"n": 1.50,  "t":"ü\\n"}}\n'.encode()
    )


@pytest.mark.parametrize("value", [b"", b"\xff", b"NaN", b"1 2", b"1,2", b"1],[2", b'{"a":', b"[" * 5000 + b"]" * 5000])
def test_what_is_no_json_is_base64(value: bytes) -> None:
    assert fields(typed("a/b", value)) == {"typename": "a/b", "base64": b64encode(value).decode()}


def test_a_number_that_json_has_not_is_base64() -> None:
    encoded = Float64Type.serialize(float("inf"))
    assert fields(typed(Float64Type.typename, encoded))["base64"] == b64encode(encoded).decode()


def test_a_record_without_a_value_has_only_its_typename() -> None:
    assert fields(TypedValue(typename="a/b").SerializeToString()) == {"typename": "a/b"}


def test_bytes_that_are_no_typed_value_have_no_typename() -> None:
    assert fields(b"\xff") == {"typename": "", "base64": b64encode(b"\xff").decode()}


@given(st.binary(max_size=30))
def test_any_bytes_are_a_line(payload: bytes) -> None:
    fields(payload)


@given(st.text(max_size=10), st.text(max_size=20) | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_any_value_can_be_read_back(typename: str, text: str) -> None:
    assert fields(typed(typename, text.encode()))["typename"] == typename
