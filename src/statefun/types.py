"""Value types: a typename and how values become bytes and back."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from statefun.typename import TypeNameLike

T = TypeVar("T")


class TypeSerializer(ABC, Generic[T]):
    """Turns values of one type into bytes and back."""

    __slots__ = ()

    @abstractmethod
    def serialize(self, value: T) -> bytes:
        """The bytes of `value`. Raises if it is no value of this type; `None` never is."""

    @abstractmethod
    def deserialize(self, byte: bytes) -> T:
        """The value of these bytes. Raises if they are not of this type."""


class Type(ABC, Generic[T]):
    """The type of messages, of state and of egress records. Subclasses say by which serializer.

    `typename` is the text under which the type travels, in the form `namespace/name`.
    """

    __slots__ = ("typename",)

    typename: str

    def __init__(self, typename: TypeNameLike) -> None:
        if not typename:
            raise ValueError("the typename of a type is missing")
        self.typename = str(typename)

    @abstractmethod
    def serializer(self) -> TypeSerializer[T]:
        """The serializer of this type."""

    def serialize(self, value: T) -> bytes:
        """The bytes of `value`. Raises if it is no value of this type; `None` never is."""
        return self.serializer().serialize(value)

    def deserialize(self, byte: bytes) -> T:
        """The value of these bytes. Raises if they are not of this type."""
        return self.serializer().deserialize(byte)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.typename!r})"


class SimpleType(Type[T], TypeSerializer[T]):
    """A type made of two functions; it is its own serializer."""

    __slots__ = ("_deserialize", "_serialize")

    def __init__(
        self, typename: TypeNameLike, serialize_fn: Callable[[T], bytes], deserialize_fn: Callable[[bytes], T]
    ) -> None:
        super().__init__(typename)
        for name, function in (("serialize_fn", serialize_fn), ("deserialize_fn", deserialize_fn)):
            _check_function(f"{name} of {typename}", function)
        self._serialize = serialize_fn
        self._deserialize = deserialize_fn

    def serializer(self) -> TypeSerializer[T]:
        """This type itself."""
        return self

    def serialize(self, value: T) -> bytes:
        """The bytes of `value`, as `serialize_fn` gives them."""
        return self._serialize(value)

    def deserialize(self, byte: bytes) -> T:
        """The value of these bytes, as `deserialize_fn` gives it."""
        return self._deserialize(byte)


def _check_function(what: str, function: object) -> None:
    if not callable(function):
        raise ValueError(f"the {what} is missing")  # noqa: TRY004  (None is the usual case)


def encode(value_type: Type[T], value: T) -> bytes:
    """The bytes of `value`, checked to be bytes: what a type returns goes to the wire and the disk.

    Raises:
        ValueError: `value` is None.
        TypeError: The serializer of the type returned no bytes.
    """
    if value is None:
        raise ValueError(f"a value of {value_type.typename} must not be None")
    data = value_type.serialize(value)
    return data if data.__class__ is bytes else _as_bytes(value_type.typename, data)


def _as_bytes(typename: str, data: object) -> bytes:
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    raise TypeError(f"the serializer of {typename} must return bytes, it returned {type(data).__name__}")
