"""Types: what goes over the wire, and what is refused."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

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


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0


def test_json_of_a_dataclass_comes_back_as_the_class() -> None:
    tpe = make_json_type("example/point", Point)
    assert json.loads(tpe.serialize(Point(1, 2))) == {"x": 1, "y": 2}
    assert tpe.deserialize(b'{"x": 3}') == Point(3)
    with pytest.raises(TypeError):
        tpe.serialize({"x": 1})  # type: ignore[arg-type]


def test_a_protobuf_type_is_named_after_its_message() -> None:
    assert make_protobuf_type(TypedValue).typename == "type.googleapis.com/io.statefun.sdk.reqreply.TypedValue"
    assert make_protobuf_type(TypedValue, "example").typename == "example/io.statefun.sdk.reqreply.TypedValue"
    named = make_protobuf_type_with_typename(TypedValue, "example/value")
    assert named.typename == "example/value"
    assert named.deserialize(named.serialize(TypedValue(typename="a/b"))) == TypedValue(typename="a/b")
