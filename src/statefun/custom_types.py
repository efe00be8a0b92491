"""Types of an application's own: from two functions, JSON, or protobuf."""

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar, overload

from google.protobuf.message import Message as ProtobufMessage

from statefun.json_classes import class_codec, read_json
from statefun.typename import TypeNameLike
from statefun.types import SimpleType

_write_json: Final = json.JSONEncoder(ensure_ascii=False).encode  # made once: `json.dumps` makes one for each call

T = TypeVar("T")
M = TypeVar("M", bound=ProtobufMessage)


def simple_type(
    typename: TypeNameLike, serialize_fn: Callable[[T], bytes], deserialize_fn: Callable[[bytes], T]
) -> SimpleType[T]:
    """A type from two functions, one that makes bytes and one that reads them.

    Raises:
        ValueError: Something is missing.
    """
    return SimpleType(typename, serialize_fn, deserialize_fn)


@overload
def make_json_type(typename: TypeNameLike) -> SimpleType[Any]: ...
@overload
def make_json_type(typename: TypeNameLike, cls: type[T]) -> SimpleType[T]: ...
def make_json_type(typename: TypeNameLike, cls: type[Any] | None = None) -> SimpleType[Any]:
    """A type of JSON values, as UTF-8.

    Without a class, values are whatever the module json writes (not ASCII only) and reads. With a dataclass or a
    pydantic model, values are its instances: members that the class does not have are ignored when reading, so that a
    newer writer does not stop an older reader. Members of a dataclass may be text, numbers, bools, None, enumerations,
    dataclasses, and lists, tuples, sets, dicts and optionals of these; each is checked when it is read. A member of
    any other type, or of a union of several, is read as plain JSON.

    Raises:
        TypeError: The class is neither; a value that is written is no instance of it; a member cannot be JSON.
        ValueError: Bytes that are read are no JSON or do not fit the class.
    """
    if cls is None:
        return SimpleType(typename, _dump_json, read_json)
    return SimpleType(typename, *class_codec(cls))


def make_protobuf_type(cls: type[M], namespace: str | None = None) -> SimpleType[M]:
    """A type of protobuf messages, named `<namespace>/<full name of the message>`.

    Args:
        cls: The generated class.
        namespace: `type.googleapis.com` if it is not given, as protobuf itself names its types.

    Raises:
        ValueError: The class is missing.
    """
    if not cls:
        raise ValueError("the generated protobuf class is missing")
    return make_protobuf_type_with_typename(cls, f"{namespace or 'type.googleapis.com'}/{cls.DESCRIPTOR.full_name}")


def make_protobuf_type_with_typename(cls: type[M], typename: TypeNameLike) -> SimpleType[M]:
    """A type of protobuf messages under any name.

    Raises:
        ValueError: The class is missing.
    """
    if not cls:
        raise ValueError("the generated protobuf class is missing")
    return SimpleType(typename, lambda value: value.SerializeToString(), cls.FromString)


def _dump_json(value: object) -> bytes:
    return _write_json(value).encode()
