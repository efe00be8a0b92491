"""The primitive types. Values travel in one-field protobuf messages (`protocol/types.proto`).

The wrappers are so small that `struct` reads and writes them several times faster than protobuf does. Whatever is not
in the one form that encoders produce goes to protobuf, which therefore decides what is valid.
"""

import operator
from abc import abstractmethod
from collections.abc import Mapping
from struct import Struct
from struct import error as struct_error
from types import MappingProxyType
from typing import Any, Final, TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.message import Message as WrapperMessage

from statefun.protocol.types_pb2 import (
    BooleanWrapper,
    DoubleWrapper,
    FloatWrapper,
    IntWrapper,
    LongWrapper,
    StringWrapper,
)
from statefun.types import Type, TypeSerializer

T = TypeVar("T")

_FIXED32 = 0x0D  # the tag of field 1 as four bytes
_FIXED64 = 0x09  # the tag of field 1 as eight bytes
_LENGTH_DELIMITED = 0x0A  # the tag of field 1 as length and bytes
_TRUE = b"\x08\x01"
_SHORT_HEADS: Final = tuple(bytes((_LENGTH_DELIMITED, length)) for length in range(0x80))


class PrimitiveType(Type[T], TypeSerializer[T]):
    """A type whose values travel in a protobuf wrapper; a default value (0, "", False) is zero bytes."""

    __slots__ = ("_wrapper",)

    def __init__(self, typename: str, wrapper: type[WrapperMessage]) -> None:
        super().__init__(typename)
        self._wrapper: Any = wrapper

    def serializer(self) -> TypeSerializer[T]:
        """This type itself."""
        return self

    @abstractmethod
    def serialize(self, value: T) -> bytes: ...

    @abstractmethod
    def deserialize(self, byte: bytes) -> T: ...

    def _wrap(self, value: object) -> bytes:
        wrapped = self._wrapper()
        # Assigned, since the constructor takes None for no value.
        wrapped.value = value
        data: bytes = wrapped.SerializeToString()
        return data

    def _unwrap(self, data: bytes) -> T:
        try:
            value: T = self._wrapper.FromString(data).value
        except DecodeError as error:
            raise ValueError(f"{data[:40]!r} is no {self.typename}, which travels wrapped in protobuf") from error
        return value


class BooleanType(PrimitiveType[bool]):
    """True and False."""

    __slots__ = ()

    def serialize(self, value: bool) -> bytes:
        """Raises TypeError for what protobuf takes for no bool."""
        if value is True:
            return _TRUE
        if value is False:
            return b""
        return self._wrap(value)

    def deserialize(self, byte: bytes) -> bool:
        """Raises ValueError if the bytes are no wrapper."""
        if byte == _TRUE:
            return True
        return False if not byte else self._unwrap(byte)


class IntegerType(PrimitiveType[int]):
    """Integers of a fixed width. Out of range is an error; nothing is ever truncated."""

    __slots__ = ("_bits", "_length", "_pack", "_tag", "_unpack")

    def __init__(self, typename: str, wrapper: type[WrapperMessage], bits: int) -> None:
        super().__init__(typename, wrapper)
        self._tag, codec = (_FIXED32, Struct("<Bi")) if bits == 32 else (_FIXED64, Struct("<Bq"))
        self._bits = bits
        self._length = codec.size
        self._pack = codec.pack
        self._unpack = codec.unpack

    def serialize(self, value: int) -> bytes:
        """Raises TypeError for what is no integer (a bool is none) and ValueError out of range."""
        if value.__class__ is not int:
            if isinstance(value, bool):
                raise TypeError(f"{value!r} is a bool, not an integer: {self.typename} does not take it")
            value = operator.index(value)
        if not value:
            return b""
        try:
            return self._pack(self._tag, value)
        except struct_error:
            limit = 1 << (self._bits - 1)
            raise ValueError(f"{value} is out of range for {self.typename} ({-limit} to {limit - 1})") from None

    def deserialize(self, byte: bytes) -> int:
        """Raises ValueError if the bytes are no wrapper."""
        if len(byte) == self._length and byte[0] == self._tag:
            value: int = self._unpack(byte)[1]
            return value
        return self._unwrap(byte) if byte else 0


class FloatingType(PrimitiveType[float]):
    """IEEE 754 numbers of 32 or 64 bits; 32 bits round, and give infinity beyond their range, as protobuf does."""

    __slots__ = ("_length", "_pack", "_tag", "_unpack", "_zero")

    def __init__(self, typename: str, wrapper: type[WrapperMessage], bits: int) -> None:
        super().__init__(typename, wrapper)
        self._tag, codec = (_FIXED32, Struct("<Bf")) if bits == 32 else (_FIXED64, Struct("<Bd"))
        self._length = codec.size
        self._pack = codec.pack
        self._unpack = codec.unpack
        self._zero = codec.pack(self._tag, 0.0)

    def serialize(self, value: float) -> bytes:
        """Raises TypeError for what is no number."""
        if value.__class__ is not float:
            return self._wrap(value)
        try:
            data = self._pack(self._tag, value)
        except OverflowError:
            return self._wrap(value)
        # Only the positive zero is the default: -0.0 is written.
        return b"" if data == self._zero else data

    def deserialize(self, byte: bytes) -> float:
        """Raises ValueError if the bytes are no wrapper."""
        if len(byte) == self._length and byte[0] == self._tag:
            value: float = self._unpack(byte)[1]
            return value
        return self._unwrap(byte) if byte else 0.0


class TextType(PrimitiveType[str]):
    """Unicode text, as UTF-8 on the wire."""

    __slots__ = ()

    def serialize(self, value: str) -> bytes:
        """Raises TypeError for what is no text, UnicodeEncodeError for text that has lone surrogates."""
        if value.__class__ is not str:
            return self._wrap(value)
        data = value.encode()
        length = len(data)
        if length < 0x80:
            return _SHORT_HEADS[length] + data if length else b""
        if length < 0x4000:
            return b"\x0a%c%c%b" % (length & 0x7F | 0x80, length >> 7, data)
        return self._wrap(value)

    def deserialize(self, byte: bytes) -> str:
        """Raises ValueError if the bytes are no wrapper; raw UTF-8 is none."""
        length = len(byte)
        if not length:
            return ""
        if byte[0] == _LENGTH_DELIMITED and length > 1:
            if byte[1] == length - 2 and length < 0x82:
                return byte[2:].decode()
            if 0x82 < length < 0x4003 and byte[1] & 0x80 and (byte[1] & 0x7F | byte[2] << 7) == length - 3:
                return byte[3:].decode()
        return self._unwrap(byte)


BoolType: Final = BooleanType("io.statefun.types/bool", BooleanWrapper)
"""`io.statefun.types/bool`."""
Int32Type: Final = IntegerType("io.statefun.types/int", IntWrapper, 32)
"""`io.statefun.types/int`: integers of 32 bits."""
Int64Type: Final = IntegerType("io.statefun.types/long", LongWrapper, 64)
"""`io.statefun.types/long`: integers of 64 bits."""
Float32Type: Final = FloatingType("io.statefun.types/float", FloatWrapper, 32)
"""`io.statefun.types/float`: numbers of 32 bits."""
Float64Type: Final = FloatingType("io.statefun.types/double", DoubleWrapper, 64)
"""`io.statefun.types/double`: numbers of 64 bits."""
StringType: Final = TextType("io.statefun.types/string", StringWrapper)
"""`io.statefun.types/string`: text."""

PRIMITIVE_TYPES: Final[Mapping[str, Type[Any]]] = MappingProxyType(
    {tpe.typename: tpe for tpe in (BoolType, Int32Type, Int64Type, Float32Type, Float64Type, StringType)}
)
"""The primitive types by their typenames."""

IntType: Final = Int32Type
"""Another name of `Int32Type`."""
LongType: Final = Int64Type
"""Another name of `Int64Type`."""
FloatType: Final = Float32Type
"""Another name of `Float32Type`."""
DoubleType: Final = Float64Type
"""Another name of `Float64Type`."""


def infer_type(value: object) -> Type[Any]:
    """The type of a value that comes without one.

    Raises:
        ValueError: `value` is None, or an int (32 or 64 bits?), or of no type that is known here.
    """
    if value is None:
        raise ValueError("the value is missing")
    if isinstance(value, bool):
        return BoolType
    if isinstance(value, str):
        return StringType
    if isinstance(value, float):
        return Float64Type
    if isinstance(value, int):
        raise ValueError(f"say whether the integer {value} is an Int32Type or an Int64Type")  # noqa: TRY004
    raise ValueError(f"the type of a {type(value).__name__} cannot be told from the value; give value_type")
