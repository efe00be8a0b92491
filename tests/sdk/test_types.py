"""Types: what goes over the wire, and what is refused."""

import json
from typing import Any

import pytest
from google.protobuf.message import DecodeError

from statefun import (
    BoolType,
    DoubleType,
    Float32Type,
    Float64Type,
    FloatType,
    Int32Type,
    Int64Type,
    IntType,
    LongType,
    StringType,
    Type,
    TypeName,
    TypeSerializer,
    make_json_type,
    make_protobuf_type,
    make_protobuf_type_with_typename,
    simple_type,
)
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.protocol.types_pb2 import (
    BooleanWrapper,
    DoubleWrapper,
    FloatWrapper,
    IntWrapper,
    LongWrapper,
    StringWrapper,
)

PRIMITIVES: list[tuple[Type[Any], str, Any, list[Any]]] = [
    (BoolType, "io.statefun.types/bool", BooleanWrapper, [True, False]),
    (Int32Type, "io.statefun.types/int", IntWrapper, [0, 1, -1, 2**31 - 1, -(2**31)]),
    (Int64Type, "io.statefun.types/long", LongWrapper, [0, 7, -7, 2**63 - 1, -(2**63)]),
    (Float32Type, "io.statefun.types/float", FloatWrapper, [0.0, 1.5, -2.25]),
    (Float64Type, "io.statefun.types/double", DoubleWrapper, [0.0, 0.1, -1e300]),
    (StringType, "io.statefun.types/string", StringWrapper, ["", "hello", "héllo \N{SNOWMAN}", "x" * 300]),
]


@pytest.mark.parametrize(("tpe", "typename", "wrapper", "values"), PRIMITIVES)
def test_a_primitive_is_written_as_its_wrapper(tpe: Type[Any], typename: str, wrapper: Any, values: list[Any]) -> None:
    assert tpe.typename == typename
    for value in values:
        assert tpe.serialize(value) == wrapper(value=value).SerializeToString()
        assert tpe.deserialize(wrapper(value=value).SerializeToString()) == value


def test_the_first_sdks_names_are_the_same_types() -> None:
    assert (IntType, LongType, FloatType, DoubleType) == (Int32Type, Int64Type, Float32Type, Float64Type)


@pytest.mark.parametrize(
    ("tpe", "value"), [(Int32Type, 2**31), (Int32Type, -(2**31) - 1), (Int64Type, 2**63), (Int64Type, -(2**63) - 1)]
)
def test_an_integer_out_of_range_is_an_error(tpe: Type[int], value: int) -> None:
    with pytest.raises(ValueError, match=str(value)):
        tpe.serialize(value)


@pytest.mark.parametrize(("tpe", "value"), [(Int32Type, True), (Int64Type, False), (StringType, 3)])
def test_a_value_of_another_type_is_an_error(tpe: Type[Any], value: Any) -> None:
    with pytest.raises(TypeError):
        tpe.serialize(value)


def test_a_simple_type_is_made_of_two_functions() -> None:
    reversed_text = simple_type("example/reversed", lambda s: s[::-1].encode(), lambda b: b.decode()[::-1])
    assert reversed_text.typename == "example/reversed"
    assert reversed_text.serialize("abc") == b"cba"
    assert reversed_text.deserialize(b"cba") == "abc"
    assert reversed_text.serializer().serialize("abc") == b"cba"
    assert repr(reversed_text) == "SimpleType('example/reversed')"


def test_a_subclass_of_the_first_sdks_type_works() -> None:
    class Serializer(TypeSerializer[int]):
        def serialize(self, value: int) -> bytes:
            return str(value).encode()

        def deserialize(self, byte: bytes) -> int:
            return int(byte)

    class Decimal(Type[int]):
        def __init__(self) -> None:
            super().__init__("example/decimal")

        def serializer(self) -> TypeSerializer[int]:
            return Serializer()

    assert (Decimal().serialize(12), Decimal().deserialize(b"12")) == (b"12", 12)


def test_json_is_written_as_the_json_module_writes_it_and_not_ascii_only() -> None:
    tpe = make_json_type("example/json")
    value = {"name": "Zoë", "n": [1, 2.5, None]}
    assert tpe.serialize(value) == json.dumps(value, ensure_ascii=False).encode()
    assert tpe.deserialize(tpe.serialize(value)) == value


def test_a_protobuf_type_is_named_after_its_message() -> None:
    assert make_protobuf_type(TypedValue).typename == "type.googleapis.com/io.statefun.sdk.reqreply.TypedValue"
    assert make_protobuf_type(TypedValue, "example").typename == "example/io.statefun.sdk.reqreply.TypedValue"
    named = make_protobuf_type_with_typename(TypedValue, "example/value")
    assert named.typename == "example/value"
    assert named.deserialize(named.serialize(TypedValue(typename="a/b"))) == TypedValue(typename="a/b")
    with pytest.raises(DecodeError):
        named.deserialize(b"\xff")


@pytest.mark.parametrize("make", [make_protobuf_type, lambda cls: make_protobuf_type_with_typename(cls, "example/x")])
def test_a_protobuf_type_needs_its_class(make: Any) -> None:
    with pytest.raises(ValueError, match="missing"):
        make(None)


@pytest.mark.parametrize(
    ("typename", "serialize", "deserialize"),
    [("", bytes, bytes), (None, bytes, bytes), ("example/x", None, bytes), ("example/x", bytes, None)],
)
def test_a_simple_type_needs_a_typename_and_both_functions(typename: Any, serialize: Any, deserialize: Any) -> None:
    with pytest.raises(ValueError, match="missing"):
        simple_type(typename, serialize, deserialize)


def test_what_json_cannot_write_or_read_is_an_error() -> None:
    tpe = make_json_type("example/json")
    with pytest.raises(TypeError, match="object"):
        tpe.serialize(object())
    with pytest.raises(ValueError, match="Expecting value"):
        tpe.deserialize(b"not json")


def test_a_typename_may_be_given_as_typename_everywhere_a_type_is_made() -> None:
    typename = TypeName.parse("example/x")
    for tpe in (
        simple_type(typename, bytes, bytes),
        make_json_type(typename),
        make_protobuf_type_with_typename(TypedValue, typename),
    ):
        assert tpe.typename == "example/x"
