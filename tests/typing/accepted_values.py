"""Types, value specs and storage know the Python type of their values."""

from dataclasses import dataclass
from datetime import timedelta
from typing import assert_type

from google.protobuf.timestamp_pb2 import Timestamp

from statefun import (
    BoolType,
    Context,
    Expiration,
    Float32Type,
    Float64Type,
    Int32Type,
    Int64Type,
    IntType,
    Message,
    StringType,
    ValueSpec,
    make_json_type,
    make_protobuf_type,
    make_protobuf_type_with_typename,
    simple_type,
)


@dataclass
class Profile:
    name: str
    visits: int


SEEN = ValueSpec("seen", IntType)
TOTAL = ValueSpec("total", Int64Type, expire_after_call=timedelta(days=1))
RATIO = ValueSpec("ratio", Float64Type, expire_after_write=timedelta(hours=1))
SHARE = ValueSpec(name="share", type=Float32Type, expiration=Expiration.none())
OPEN = ValueSpec("open", BoolType, expiration=Expiration.after_call(timedelta(minutes=5)))
NAME = ValueSpec("name", StringType)
PROFILE_TYPE = make_json_type("example/profile", Profile)
PROFILE = ValueSpec("profile", PROFILE_TYPE)
SINCE = ValueSpec("since", make_protobuf_type(Timestamp))
UNTIL = ValueSpec("until", make_protobuf_type_with_typename(Timestamp, "example/until"))
BLOB_TYPE = simple_type("example/blob", serialize_fn=bytes, deserialize_fn=bytes)


def describe(number: int) -> bytes:
    return str(number).encode()


NUMBER_TYPE = simple_type("example/number", serialize_fn=describe, deserialize_fn=int)

assert_type(SEEN, ValueSpec[int])
assert_type(NAME, ValueSpec[str])
assert_type(PROFILE, ValueSpec[Profile])
assert_type(SINCE, ValueSpec[Timestamp])
assert_type(Int32Type.serialize(3), bytes)
assert_type(Int32Type.deserialize(b""), int)
assert_type(StringType.deserialize(b""), str)
assert_type(NUMBER_TYPE.deserialize(b"3"), int)
assert_type(SEEN.name, str)
assert_type(SEEN.duration, int)
assert_type(SEEN.after_call, bool)


def storage(context: Context) -> None:
    assert_type(context.storage.get(SEEN), int | None)
    assert_type(context.storage.get(RATIO), float | None)
    assert_type(context.storage.get(OPEN), bool | None)
    assert_type(context.storage.get(PROFILE), Profile | None)
    assert_type(context.storage.get(UNTIL), Timestamp | None)
    context.storage.set(SEEN, (context.storage.get(SEEN) or 0) + 1)
    context.storage.set(SHARE, 0.5)
    context.storage.set(PROFILE, Profile("Ada", 1))
    context.storage.remove(TOTAL)


def storage_by_attribute(context: Context) -> None:
    context.storage.seen = (context.storage.seen or 0) + 1
    context.storage.name = "Ada"
    del context.storage.total


def messages(message: Message) -> None:
    assert_type(message.as_int(), int | None)
    assert_type(message.as_int32(), int | None)
    assert_type(message.as_long(), int | None)
    assert_type(message.as_double(), float | None)
    assert_type(message.as_float64(), float | None)
    assert_type(message.as_bool(), bool | None)
    assert_type(message.as_string(), str | None)
    assert_type(message.as_type(PROFILE_TYPE), Profile | None)
    assert_type(message.is_type(PROFILE_TYPE), bool)
    assert_type(message.raw_value(), bytes | None)
    assert_type(message.value_typename(), str)
