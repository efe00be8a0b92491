"""The hand-written codecs of the primitive types agree with protobuf, also where an encoding is unusual."""

import enum
import math
import struct
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st

from statefun import BoolType, Float32Type, Float64Type, Int32Type, Int64Type, StringType, Type
from statefun.protocol.types_pb2 import (
    BooleanWrapper,
    DoubleWrapper,
    FloatWrapper,
    IntWrapper,
    LongWrapper,
    StringWrapper,
)
from tests.sdk.encodings import BYTES, FIXED32, FIXED64, VARINT, field, unknown_fields

TEXTS = st.text(max_size=200) | st.integers(0, 0x4010).map(lambda length: "é" * (length // 2) + "x" * (length % 2))
KINDS: dict[str, tuple[Type[Any], Any, int, st.SearchStrategy[Any]]] = {
    "bool": (BoolType, BooleanWrapper, VARINT, st.booleans()),
    "int": (Int32Type, IntWrapper, FIXED32, st.integers(-(2**31), 2**31 - 1)),
    "long": (Int64Type, LongWrapper, FIXED64, st.integers(-(2**63), 2**63 - 1)),
    "float": (Float32Type, FloatWrapper, FIXED32, st.floats() | st.integers(-(2**70), 2**70)),
    "double": (Float64Type, DoubleWrapper, FIXED64, st.floats() | st.integers(-(2**70), 2**70)),
    "string": (StringType, StringWrapper, BYTES, TEXTS),
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def read_by_protobuf(kind: str, data: bytes) -> Any:
    """The value, or ValueError in its place if there is none."""
    try:
        return KINDS[kind][1].FromString(data).value
    except DecodeError:
        return ValueError


def read_by_us(kind: str, data: bytes) -> Any:
    try:
        return KINDS[kind][0].deserialize(data)
    except ValueError:
        return ValueError


def assert_read_alike(kind: str, data: bytes) -> None:
    ours, theirs = read_by_us(kind, data), read_by_protobuf(kind, data)
    assert type(ours) is type(theirs)
    if isinstance(ours, float):
        assert (math.isnan(ours) and math.isnan(theirs)) or struct.pack("d", ours) == struct.pack("d", theirs)
    else:
        assert ours == theirs


@EVERY_KIND
@given(data=st.data())
def test_values_are_written_byte_for_byte_as_protobuf_writes_them(kind: str, data: st.DataObject) -> None:
    tpe, wrapper, _, values = KINDS[kind]
    value = data.draw(values)
    written = tpe.serialize(value)
    assert written == wrapper(value=value).SerializeToString()
    assert_read_alike(kind, written)


@EVERY_KIND
@given(data=st.data())
def test_unusual_encodings_are_read_as_protobuf_reads_them(kind: str, data: st.DataObject) -> None:
    """Unknown fields, varints longer than needed, the field several times or with another wire type, or cut off."""
    wire_type = KINDS[kind][2]
    content = st.sampled_from([0, 1, 2, 2**63]) if kind == "bool" else TEXTS.map(str.encode) | st.binary(max_size=10)
    right = field(1, wire_type, content)
    wrong = st.sampled_from([VARINT, FIXED64, BYTES, FIXED32]).flatmap(lambda other: field(1, other))
    encoded = b"".join(data.draw(st.lists(right | right | wrong | unknown_fields(2), min_size=1, max_size=4)))
    assert_read_alike(kind, encoded)
    assert_read_alike(kind, encoded[: data.draw(st.integers(0, len(encoded)))])


@EVERY_KIND
@given(data=st.binary(max_size=20))
@example(data=b"")
@example(data=b"\x08\x00")
@example(data=b"\x08\x81\x00")
@example(data=b"\x0a\x00")
@example(data=b"\x0a\x80\x00")
@example(data=b"\x0a\x81\x00x")
@example(data=b"\x0a\x02\xc3\x28")
@example(data=b"\x0a\x03\xed\xa0\x80")
@example(data=b"\x0d\x00\x00\x00\x00")
@example(data=b"\x0d\x00\x00\x00\x80")
@example(data=b"\x09" + bytes(8))
@example(data=b"\x0b\x0c")
def test_any_bytes_are_read_or_refused_as_by_protobuf(kind: str, data: bytes) -> None:
    assert_read_alike(kind, data)


@EVERY_KIND
def test_a_default_value_is_no_bytes_and_no_bytes_are_the_default_value(kind: str) -> None:
    tpe, wrapper, _, _ = KINDS[kind]
    assert tpe.serialize(wrapper().value) == b""
    assert tpe.deserialize(b"") == wrapper().value


@EVERY_KIND
@pytest.mark.parametrize("value", [None, object(), b"bytes", [1], "text", 1.5, 10**400])
def test_what_protobuf_refuses_to_write_is_refused(kind: str, value: object) -> None:
    tpe, wrapper, _, _ = KINDS[kind]
    assert written(tpe.serialize, value) == written(lambda each: assigned(wrapper, each), value)


def assigned(wrapper: Any, value: object) -> bytes:
    message = wrapper()
    message.value = value
    data: bytes = message.SerializeToString()
    return data


def written(serialize: Callable[[object], bytes], value: object) -> bytes | None:
    """The bytes, or None for a value that is refused."""
    try:
        return serialize(value)
    except (TypeError, ValueError, OverflowError):
        return None


class Level(enum.IntEnum):
    HIGH = 3


class Name(str):
    __slots__ = ()


def test_subclasses_of_int_and_str_are_written_as_their_values() -> None:
    assert Int32Type.deserialize(Int32Type.serialize(Level.HIGH)) == 3
    assert StringType.deserialize(StringType.serialize(Name("bob"))) == "bob"


@pytest.mark.parametrize("tpe", [Int32Type, Int64Type])
@pytest.mark.parametrize("value", [True, False])
def test_a_bool_is_no_integer(tpe: Type[int], value: bool) -> None:
    with pytest.raises(TypeError, match=str(value)):
        tpe.serialize(value)


@pytest.mark.parametrize("value", [1e39, -1e39, 3.4028236e38])
def test_a_float_beyond_32_bits_is_written_as_protobuf_writes_it(value: float) -> None:
    assert Float32Type.serialize(value) == FloatWrapper(value=value).SerializeToString()
