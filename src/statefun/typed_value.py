"""Values with their typename, as messages and egress records carry them."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.types import Type, encode
from statefun.wire import encode_typed_value, short_value

T = TypeVar("T")


class Header(NamedTuple):
    """A header that travels with a value: a key, and bytes or nothing. Keys may repeat; the order is kept."""

    key: str
    value: bytes | None


HeadersLike: TypeAlias = Mapping[str, bytes | str | None] | Iterable[tuple[str, bytes | str | None]]
"""Headers as a caller may give them; text is written as UTF-8."""

ValueSource: TypeAlias = TypedValue | bytes | tuple[str, bytes]
"""A value in any of its forms: a `TypedValue`, an encoded one, or (typename, bytes of the value)."""


class ValueCarrier:
    """Something that carries a typed value. The value is decoded when it is read, and as late as possible."""

    __slots__ = ("source",)

    # The one attribute: whichever form of the value there is.
    source: ValueSource

    @property
    def typed_value(self) -> TypedValue:
        """The value as a protobuf message. From the first read on this message *is* the value: changes to it count."""
        source = self.source
        if isinstance(source, TypedValue):
            return source
        if isinstance(source, bytes):
            typed_value = TypedValue.FromString(source)
        else:
            typed_value = TypedValue()
            self.write_to(typed_value)
        self.source = typed_value
        return typed_value

    @typed_value.setter
    def typed_value(self, typed_value: TypedValue) -> None:
        self.source = typed_value

    def value_typename(self) -> str:
        """The typename of the value."""
        source = self.source
        return source[0] if isinstance(source, tuple) else self.typed_value.typename

    def raw_value(self) -> bytes | None:
        """The bytes of the value, or None if there is no value. Empty bytes are a value."""
        source = self.source
        if isinstance(source, tuple):
            return source[1]
        typed_value = source if isinstance(source, TypedValue) else self.typed_value
        return typed_value.value if typed_value.has_value else None

    def is_type(self, tpe: Type[Any]) -> bool:
        """Whether the value has the typename of `tpe`."""
        return self.value_typename() == tpe.typename

    def as_type(self, tpe: Type[T]) -> T | None:
        """The value read as a `tpe`, or None if there is no value. The typename is not compared: see `is_type`."""
        source = self.source
        # The usual cases without a further call: a message within a process, and one from a request.
        if type(source) is bytes:
            value = short_value(source, tpe.typename)
            if value is None:
                value = self.raw_value()
        elif isinstance(source, TypedValue):
            value = source.value if source.has_value else None
        else:
            value = self.raw_value()
        return None if value is None else tpe.deserialize(value)

    @property
    def headers(self) -> tuple[Header, ...]:
        """The headers that came with the value, or go with it (not every runtime forwards them)."""
        if isinstance(self.source, tuple):
            return ()
        return tuple(Header(h.key, h.value if h.has_value else None) for h in self.typed_value.metadata)

    def payload(self) -> bytes:
        """The value as an encoded `TypedValue`."""
        source = self.source
        if isinstance(source, tuple):
            typename, value = source
            return encode_typed_value(typename, value)
        return source if isinstance(source, bytes) else source.SerializeToString()

    def write_to(self, target: TypedValue) -> None:
        """Write the value into `target`, which is empty."""
        source = self.source
        if isinstance(source, tuple):
            # Field by field into the parent: building a message apart and copying it costs twice as much.
            target.typename, target.value = source
            target.has_value = True
        elif isinstance(source, bytes):
            target.MergeFromString(source)
        else:
            target.CopyFrom(source)


def value_source(value_type: Type[T], value: T, headers: HeadersLike | None = None) -> ValueSource:
    """Encode a value and its headers.

    Raises:
        ValueError: `value` is None.
        TypeError: The serializer of the type returned no bytes.
    """
    data = encode(value_type, value)
    if not headers:
        return value_type.typename, data
    typed_value = TypedValue(typename=value_type.typename, has_value=True, value=data)
    for key, content in normalise_headers(headers):
        typed_value.metadata.add(key=key, value=content or b"", has_value=content is not None)
    return typed_value


def normalise_headers(headers: HeadersLike) -> list[Header]:
    """Headers in the one form that is written; text becomes UTF-8."""
    pairs = cast("Mapping[str, Any]", headers).items() if isinstance(headers, Mapping) else headers
    return [Header(key, value.encode() if isinstance(value, str) else value) for key, value in pairs]
