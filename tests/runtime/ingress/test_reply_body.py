import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun import Float64Type, Int32Type, StringType
from statefun.wire import encode_typed_value
from statefun_runtime.ingress.reply_body import BYTES, JSON, ReplyBody, reply_body

TYPENAMES = st.sampled_from([Int32Type.typename, StringType.typename, "test/x", ""])


def test_a_primitive_is_its_value_in_json() -> None:
    payload = encode_typed_value(Int32Type.typename, Int32Type.serialize(7))
    assert reply_body(payload) == ReplyBody(Int32Type.typename, b"7", JSON)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_cannot_write_stays_as_it_is_encoded(value: float) -> None:
    encoded = Float64Type.serialize(value)
    assert reply_body(encode_typed_value(Float64Type.typename, encoded)) == (Float64Type.typename, encoded, BYTES)


@pytest.mark.parametrize(
    ("value", "content_type"), [(b'{"a": 1}', JSON), (b"7", JSON), (b"{", BYTES), (b"NaN", BYTES), (b"\xff", BYTES)]
)
def test_a_value_of_another_type_is_passed_on_and_called_json_if_it_is(value: bytes, content_type: str) -> None:
    assert reply_body(encode_typed_value("test/x", value)) == ("test/x", value, content_type)


def test_a_value_that_is_missing_or_broken_is_bytes() -> None:
    assert reply_body(encode_typed_value("test/x", None)) == ("test/x", b"", BYTES)
    assert reply_body(b"\xff") == ("", b"\xff", BYTES)


@given(st.one_of(st.binary(), st.builds(encode_typed_value, TYPENAMES, st.binary())))
def test_any_payload_has_a_body(payload: bytes) -> None:
    found = reply_body(payload)
    if found.content_type == JSON:
        json.loads(found.body)
