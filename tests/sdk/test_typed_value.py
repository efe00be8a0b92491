"""The hand-written encoding of typed values agrees with protobuf's, whatever form a value is in."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from statefun import Header, Message, make_json_type, message_builder, simple_type
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.wire import encode_typed_value
from tests.sdk.encodings import field, unknown_fields

BLOB = simple_type("example/blob", bytes, bytes)
TYPENAMES = st.text(max_size=20) | st.integers(100, 20_000).map(lambda length: "x" * length)
VALUES = st.none() | st.binary(max_size=20) | st.integers(100, 20_000).map(bytes)
METADATA_AND_LATER = 4


@given(typename=TYPENAMES, value=VALUES)
@example(typename="", value=None)
@example(typename="", value=b"")
@example(typename="x" * 127, value=bytes(127))
@example(typename="x" * 128, value=bytes(128))
@example(typename="x" * 0x3FFF, value=bytes(0x4000))
@example(typename="x", value=bytes(2_097_152))
def test_a_typed_value_is_encoded_byte_for_byte_as_protobuf_does(typename: str, value: bytes | None) -> None:
    expected = TypedValue(typename=typename, has_value=value is not None, value=value or b"")
    assert encode_typed_value(typename, value) == expected.SerializeToString()


@given(value=st.binary(max_size=300))
def test_a_message_has_the_same_value_in_each_of_its_forms(value: bytes) -> None:
    expected = TypedValue(typename=BLOB.typename, has_value=True, value=value)
    for source in ((BLOB.typename, value), expected.SerializeToString(), expected):
        message = Message("example/next", "id", source)
        written = TypedValue()
        message.write_to(written)
        assert written == expected
        assert message.payload() == expected.SerializeToString()
        assert (message.value_typename(), message.raw_value(), message.as_type(BLOB)) == (BLOB.typename, value, value)
        assert message.typed_value == expected
        assert message.payload() == expected.SerializeToString()


@given(
    parts=st.lists(
        field(1, 2, st.text(max_size=10).map(str.encode))
        | field(2, 0, st.sampled_from([0, 1, 2]))
        | field(3, 2)
        | unknown_fields(METADATA_AND_LATER + 1),
        max_size=6,
    )
)
def test_an_encoded_value_is_forwarded_with_all_that_this_version_does_not_know(parts: list[bytes]) -> None:
    encoded = b"".join(parts)
    forwarded = TypedValue()
    Message("example/next", "id", encoded or TypedValue()).write_to(forwarded)
    assert forwarded == TypedValue.FromString(encoded)
    assert forwarded.SerializeToString() == TypedValue.FromString(encoded).SerializeToString()


@given(
    headers=st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=4),
    value=st.binary(max_size=5),
)
def test_headers_keep_their_order_their_repeats_and_missing_values(
    headers: list[tuple[str, bytes | None]], value: bytes
) -> None:
    message = message_builder("example/next", "id", value=value, value_type=BLOB, headers=headers)
    again = Message("example/next", "id", message.payload())
    assert again.headers == message.headers == tuple(Header(*pair) for pair in headers)
    assert again.raw_value() == value


def test_a_mapping_and_text_are_headers_too() -> None:
    message = message_builder("example/next", "id", str_value="hi", headers={"a": "é", "b": None})
    assert message.headers == (Header("a", "é".encode()), Header("b", None))


def test_the_typed_value_that_was_read_is_the_value_from_then_on() -> None:
    message = message_builder("example/next", "id", str_value="hi")
    message.typed_value.typename = "example/other"
    assert message.value_typename() == "example/other"
    assert TypedValue.FromString(message.payload()).typename == "example/other"
    message.typed_value = TypedValue(typename="example/third", has_value=True)
    assert (message.value_typename(), message.raw_value()) == ("example/third", b"")


@pytest.mark.parametrize("returned", ["text", None, 3])
def test_a_serializer_that_returns_no_bytes_is_an_error(returned: object) -> None:
    wrong = simple_type("example/wrong", lambda _: returned, lambda data: data)  # type: ignore[arg-type, return-value]
    with pytest.raises(TypeError, match="example/wrong"):
        message_builder("example/next", "id", value="x", value_type=wrong)


def test_a_serializer_may_return_a_bytearray() -> None:
    array = simple_type("example/array", bytearray, bytes)  # type: ignore[arg-type]
    assert message_builder("example/next", "id", value=b"x", value_type=array).raw_value() == b"x"


def test_json_null_is_no_value() -> None:
    with pytest.raises(ValueError, match="None"):
        message_builder("example/next", "id", value=None, value_type=make_json_type("example/json"))
