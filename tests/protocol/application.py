"""One application for two SDKs: it uses only what the existing Python SDK offers, so the same file runs under both.

Its functions do what the messages tell them, so that a generator of messages reaches all of the API.
"""

import json
from datetime import timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from statefun import (
    BoolType,
    Context,
    DoubleType,
    FloatType,
    IntType,
    LongType,
    Message,
    StatefulFunctions,
    StringType,
    Type,
    TypeSerializer,
    ValueSpec,
    egress_message_builder,
    kafka_egress_message,
    kinesis_egress_message,
    make_json_type,
    make_protobuf_type,
    message_builder,
    simple_type,
)


class BackwardsSerializer(TypeSerializer):  # type: ignore[type-arg]  # the existing one takes none
    def serialize(self, value: str) -> bytes:
        return value[::-1].encode()

    def deserialize(self, byte: bytes) -> str:
        return byte.decode()[::-1]


class BackwardsType(Type):  # type: ignore[type-arg]  # the existing one takes none
    """A type as applications subclass it."""

    def serializer(self) -> "TypeSerializer[str]":
        return BackwardsSerializer()


TYPES: dict[str, Any] = {
    "bool": BoolType,
    "int": IntType,
    "long": LongType,
    "float": FloatType,
    "double": DoubleType,
    "string": StringType,
    "json": make_json_type("golden/json"),
    "blob": simple_type("golden/blob", serialize_fn=bytes, deserialize_fn=bytes),
    "moment": make_protobuf_type(Timestamp),
    "moment_of_ours": make_protobuf_type(Timestamp, "golden"),
    "backwards": BackwardsType("golden/backwards"),
}
KEYWORDS = {
    "bool": "bool_value",
    "int": "int_value",
    "long": "long_value",
    "float": "float_value",
    "double": "double_value",
    "string": "str_value",
}
STATES = {
    "flag": "bool",
    "small": "int",
    "large": "long",
    "rough": "float",
    "exact": "double",
    "text": "string",
    "plain": "json",
    "raw": "blob",
    "since": "moment",
    "mirrored": "backwards",
}
SPECS: "list[ValueSpec[Any]]" = [
    ValueSpec("flag", BoolType),
    ValueSpec("small", IntType, expire_after_call=timedelta(minutes=5)),
    ValueSpec("large", LongType, expire_after_write=timedelta(milliseconds=1500)),
    *[ValueSpec(name, TYPES[kind]) for name, kind in STATES.items() if name not in ("flag", "small", "large")],
]
FACTS = "golden/facts"

functions = StatefulFunctions()


@functions.bind("golden/script", SPECS)
def script(context: Context, message: Message) -> None:
    for operation, *arguments in message.as_type(TYPES["json"]) or ():
        OPERATIONS[operation](context, message, *arguments)


@functions.bind(typename="golden/nested/script.async", specs=SPECS)
async def script_async(context: Context, message: Message) -> None:
    script(context, message)


@functions.bind("golden/counter", specs=[ValueSpec(name="seen", type=IntType)])
async def counter(context: Context, message: Message) -> None:
    seen = (context.storage.seen or 0) + 1
    context.storage.seen = seen
    if context.caller:
        context.send(
            message_builder(target_typename=context.caller.typename, target_id=context.caller.id, int_value=seen)
        )


@functions.bind("golden/primitives")
def primitives(context: Context, message: Message) -> None:
    """Answers with the same value by each way of reading it, and says what the message told of itself."""
    told: dict[str, Any] = {"typename": message.value_typename(), "raw": described(message.raw_value())}
    for kind in KEYWORDS:
        told[f"is_{kind}"] = getattr(message, f"is_{kind}")()
        if told[f"is_{kind}"]:
            value = getattr(message, f"as_{kind}")()
            told["value"] = described(value)
            if value is not None:
                context.send(build("golden/echo", "echo", kind, value))
    tell(context, told)


def described(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return value.SerializeToString().hex() if isinstance(value, Timestamp) else repr(value)


def tell(context: Context, facts: Any) -> None:
    context.send_egress(egress_message_builder(FACTS, json.dumps(facts), StringType))


def native(kind: str, value: Any) -> Any:
    """The value of a type from what JSON can carry."""
    if kind == "blob":
        return bytes.fromhex(value)
    return Timestamp(seconds=value) if kind in ("moment", "moment_of_ours") else value


def build(typename: str, target_id: str, kind: str, value: Any) -> Message:
    if kind in KEYWORDS:
        return message_builder(typename, target_id, **{KEYWORDS[kind]: value})
    return message_builder(typename, target_id, value=native(kind, value), value_type=TYPES[kind])


def send(context: Context, message: Message, typename: str, target_id: str, kind: str, value: Any) -> None:
    context.send(build(typename, target_id, kind, value))


def forward(context: Context, message: Message, typename: str, target_id: str) -> None:
    context.send(Message(typename, target_id, message.typed_value))


def send_after(context: Context, message: Message, delay: int, token: str | None, *target: Any) -> None:
    context.send_after(timedelta(milliseconds=delay), build(*target), token)


def send_after_without_token(context: Context, message: Message, delay: int, *target: Any) -> None:
    context.send_after(timedelta(milliseconds=delay), build(*target))


def cancel(context: Context, message: Message, token: str) -> None:
    context.cancel_delayed_message(token)


def store(context: Context, message: Message, name: str, value: Any) -> None:
    setattr(context.storage, name, native(STATES[name], value))


def remove(context: Context, message: Message, name: str) -> None:
    delattr(context.storage, name)


def read(context: Context, message: Message, name: str) -> None:
    tell(context, described(getattr(context.storage, name)))


def echo(context: Context, message: Message, name: str) -> None:
    """Sends a state, if it has a value."""
    value = getattr(context.storage, name)
    if value is not None:
        context.send(message_builder("golden/echo", "echo", value=value, value_type=TYPES[STATES[name]]))


def assign_none(context: Context, message: Message, name: str) -> None:
    setattr(context.storage, name, None)


def change_in_place(context: Context, message: Message) -> None:
    """A value is a copy: what is done to it is not written."""
    value = context.storage.plain
    if isinstance(value, list):
        value.append("changed")
    tell(context, described(context.storage.plain))


def addresses(context: Context, message: Message) -> None:
    told = [context.address, context.caller]
    tell(context, [a and [a.namespace, a.name, a.id, a.typename] for a in told])
    tell(context, [message.target_typename, message.target_id])


def kafka(context: Context, message: Message, key: str | None, kind: str | None, value: Any) -> None:
    if kind is None:
        record = kafka_egress_message(typename="golden/kafka", topic="topic", value=value, key=key)
    else:
        record = kafka_egress_message("golden/kafka", "topic", native(kind, value), value_type=TYPES[kind], key=key)
    context.send_egress(record)


def kafka_bytes(context: Context, message: Message, key: str | None, value: str) -> None:
    context.send_egress(kafka_egress_message("golden/kafka", "bytes", bytes.fromhex(value), key=key))


def kinesis(context: Context, message: Message, key: str, hash_key: str | None, kind: str | None, value: Any) -> None:
    given = None if kind is None else TYPES[kind]
    context.send_egress(
        kinesis_egress_message(
            "golden/kinesis",
            stream="stream",
            value=value if kind is None else native(kind, value),
            partition_key=key,
            value_type=given,
            explicit_hash_key=hash_key,
        )
    )


def egress(context: Context, message: Message, typename: str, kind: str, value: Any) -> None:
    context.send_egress(egress_message_builder(typename, native(kind, value), TYPES[kind]))


def fail(context: Context, message: Message, reason: str) -> None:
    raise RuntimeError(reason)


OPERATIONS: dict[str, Any] = {
    function.__name__: function
    for function in (
        send,
        forward,
        send_after,
        send_after_without_token,
        cancel,
        store,
        remove,
        read,
        echo,
        assign_none,
        change_in_place,
        addresses,
        kafka,
        kafka_bytes,
        kinesis,
        egress,
        fail,
    )
}
