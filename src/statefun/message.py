"""Messages between functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypedDict, TypeVar, Unpack

from statefun.address import Address
from statefun.primitive_types import BoolType, Float32Type, Float64Type, Int32Type, Int64Type, StringType, infer_type
from statefun.typed_value import HeadersLike, ValueCarrier, ValueSource, value_source
from statefun.typename import TypeNameLike, typename_text
from statefun.types import Type

T = TypeVar("T")


class Message(ValueCarrier):
    """A value on its way to the instance `target_id` of the function `target_typename`."""

    __slots__ = ("target_id", "target_typename")

    def __init__(self, target_typename: TypeNameLike, target_id: str, typed_value: ValueSource) -> None:
        """Make a message from a value that is already encoded; `message_builder` encodes one.

        Raises:
            ValueError: Something is empty or None.
        """
        if not (target_typename and target_id and typed_value):
            raise ValueError(f"a message needs a target, an id and a value, not {target_typename!r}, {target_id!r}")
        self.target_typename: str = target_typename if isinstance(target_typename, str) else str(target_typename)
        self.target_id = target_id
        self.source = typed_value

    def is_bool(self) -> bool:
        """Whether the value is a `BoolType`."""
        return self.is_type(BoolType)

    def as_bool(self) -> bool | None:
        """The value read as a `BoolType`; None without a value."""
        return self.as_type(BoolType)

    def is_int(self) -> bool:
        """Whether the value is an `Int32Type`."""
        return self.is_type(Int32Type)

    def as_int(self) -> int | None:
        """The value read as an `Int32Type`; None without a value."""
        return self.as_type(Int32Type)

    def is_long(self) -> bool:
        """Whether the value is an `Int64Type`."""
        return self.is_type(Int64Type)

    def as_long(self) -> int | None:
        """The value read as an `Int64Type`; None without a value."""
        return self.as_type(Int64Type)

    def is_float(self) -> bool:
        """Whether the value is a `Float32Type`."""
        return self.is_type(Float32Type)

    def as_float(self) -> float | None:
        """The value read as a `Float32Type`; None without a value."""
        return self.as_type(Float32Type)

    def is_double(self) -> bool:
        """Whether the value is a `Float64Type`."""
        return self.is_type(Float64Type)

    def as_double(self) -> float | None:
        """The value read as a `Float64Type`; None without a value."""
        return self.as_type(Float64Type)

    def is_string(self) -> bool:
        """Whether the value is a `StringType`."""
        return self.is_type(StringType)

    def as_string(self) -> str | None:
        """The value read as a `StringType`; None without a value."""
        return self.as_type(StringType)

    # The same under the names of the types' second family.
    is_int32 = is_int
    as_int32 = as_int
    is_int64 = is_long
    as_int64 = as_long
    is_float32 = is_float
    as_float32 = as_float
    is_float64 = is_double
    as_float64 = as_double

    def __repr__(self) -> str:
        return f"Message({self.target_typename!r}, {self.target_id!r}, {self.value_typename()!r})"


def make_message(target_typename: str, target_id: str, source: ValueSource) -> Message:
    """A message from parts that are known to be right."""
    message = Message.__new__(Message)
    message.target_typename = target_typename
    message.target_id = target_id
    message.source = source
    return message


_TYPE_OF_KEYWORD: Final[Mapping[str, Type[Any]]] = {
    "bool_value": BoolType,
    "int_value": Int32Type,
    "long_value": Int64Type,
    "float_value": Float32Type,
    "double_value": Float64Type,
    "str_value": StringType,
}


class MessageValue(TypedDict, total=False):
    """The keywords of `message_builder` that say the value: one of the first six, or `value`."""

    bool_value: bool
    int_value: int
    long_value: int
    float_value: float
    double_value: float
    str_value: str
    value: Any
    value_type: Type[Any] | None
    headers: HeadersLike | None


def message_builder(target_typename: TypeNameLike, target_id: str, **kwargs: Unpack[MessageValue]) -> Message:
    """Build a message.

    The value is given by one keyword: `str_value=`, `bool_value=`, `int_value=` (32 bits), `long_value=` (64 bits),
    `float_value=` (32 bits), `double_value=` (64 bits), or by `value=` and `value_type=`. Without `value_type`, text,
    bool and float (64 bits) are understood. `headers=` may be added to any.

    Raises:
        ValueError: The target or the value is missing, the value is out of its type's range, or its type is not known.
        TypeError: Not exactly one value is given, or it is no value of its type.
    """
    # The usual mistake is caught here; the whole check is made where the message is sent to, which splits the text.
    if type(target_typename) is not str or "/" not in target_typename:
        target_typename = typename_text(target_typename)
    if len(kwargs) == 1:
        keyword: str
        value: Any
        ((keyword, value),) = kwargs.items()
        value_type = _TYPE_OF_KEYWORD.get(keyword)
        if value_type is not None and value is not None and target_id:
            return make_message(target_typename, target_id, (value_type.typename, value_type.serialize(value)))
    return Message(target_typename, target_id, _source_of_keywords(dict(kwargs)))


def _source_of_keywords(keywords: dict[str, Any]) -> ValueSource:
    headers = keywords.pop("headers", None)
    value_type = keywords.pop("value_type", None)
    if len(keywords) != 1:
        raise TypeError(
            f"exactly one value must be given, by str_value=, int_value=, … or by value= and value_type=; "
            f"given are: {', '.join(keywords) or 'none'}"
        )
    keyword, value = keywords.popitem()
    if keyword != "value":
        if value_type is not None or keyword not in _TYPE_OF_KEYWORD:
            raise ValueError(f"{keyword}= says no type that is known here; give value= and value_type=")
        value_type = _TYPE_OF_KEYWORD[keyword]
    return value_source(value_type or infer_type(value), value, headers)


@dataclass(slots=True)
class MessageBuilder(Generic[T]):
    """A message in the making: `to_message()` checks and encodes it; `context.send` takes it as it is.

    Without `value_type`, text, bool and float (64 bits) are understood; an int is an error.
    """

    target: Address
    value: T
    value_type: Type[T] | None = None
    headers: HeadersLike | None = None

    def to_message(self) -> Message:
        """Build the message. Raises as `message_builder` does."""
        if not self.target:
            raise ValueError("the target of the message is missing")
        value_type = self.value_type or infer_type(self.value)
        return Message(self.target.typename, self.target.id, value_source(value_type, self.value, self.headers))
