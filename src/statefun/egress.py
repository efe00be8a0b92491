"""Messages to egresses: Kafka, Kinesis, and any other."""

import struct
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar, cast, overload, runtime_checkable

from statefun.protocol.egress_pb2 import KafkaProducerRecord, KinesisEgressRecord
from statefun.typed_value import HeadersLike, ValueCarrier, ValueSource, normalise_headers, value_source
from statefun.typename import TypeNameLike, typename_text
from statefun.types import Type, encode
from statefun.wire import encode_kafka_record

T = TypeVar("T")

_KAFKA: Final = "type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord"
_KINESIS: Final = "type.googleapis.com/io.statefun.sdk.egress.KinesisEgressRecord"


class EgressMessage(ValueCarrier):
    """A value on its way to the egress `typename`."""

    __slots__ = ("typename",)

    def __init__(self, typename: TypeNameLike, typed_value: ValueSource) -> None:
        """Make a message from a value that is already encoded; the builders below encode one.

        Raises:
            ValueError: Something is empty or None.
        """
        if not typename:
            raise ValueError("the typename of the egress is missing")
        if not typed_value:
            raise ValueError("the value for the egress is missing")
        self.typename: str = typename if isinstance(typename, str) else str(typename)
        self.source = typed_value

    def __repr__(self) -> str:
        return f"EgressMessage({self.typename!r}, {self.value_typename()!r})"


@runtime_checkable
class EgressBuilder(Protocol):
    """An egress message in the making; `context.send_egress` takes it as it is."""

    def to_egress_message(self) -> EgressMessage:
        """Check and encode it."""
        ...


KafkaValue: TypeAlias = str | bytes | bytearray | int | float
"""What becomes the value of a Kafka record without a type. A bool does not, although it is an int to type checkers."""

KinesisValue: TypeAlias = str | bytes | bytearray
"""What becomes the data of a Kinesis record without a type."""


@overload
def kafka_egress_message(
    typename: TypeNameLike,
    topic: str,
    value: KafkaValue,
    value_type: None = None,
    key: str | None = None,
    headers: HeadersLike | None = None,
) -> EgressMessage: ...
@overload
def kafka_egress_message(
    typename: TypeNameLike,
    topic: str,
    value: T,
    value_type: Type[T],
    key: str | None = None,
    headers: HeadersLike | None = None,
) -> EgressMessage: ...
def kafka_egress_message(
    typename: TypeNameLike,
    topic: str,
    value: Any,
    value_type: Type[Any] | None = None,
    key: str | None = None,
    headers: HeadersLike | None = None,
) -> EgressMessage:
    """Build a record for a Kafka egress.

    Args:
        typename: The egress, as the module file names it.
        topic: The topic.
        value: The value. Without `value_type`: text becomes UTF-8, bytes stay as they are, an int becomes 4 and a
            float 8 bytes, big-endian, as Kafka's own serializers write them.
        value_type: The type whose bytes become the record's value.
        key: The key of the record; runtimes send an empty one as no key.
        headers: The headers of the record.

    Raises:
        ValueError: Something is missing, or an int needs more than 4 bytes.
        TypeError: A value without type is none of the above.
    """
    # As in message_builder: the whole check is made where the message is sent to.
    egress = typename if type(typename) is str and "/" in typename else typename_text(typename)
    if not topic:
        raise ValueError("the Kafka topic is missing")
    if value_type is not None:
        data = encode(value_type, value)
    else:
        data = value.encode() if type(value) is str else _kafka_bytes(value)
    record = encode_kafka_record(topic, data, key)
    if headers:
        record += _kafka_headers(headers)
    return EgressMessage(egress, (_KAFKA, record))


@overload
def kinesis_egress_message(
    typename: TypeNameLike,
    stream: str,
    value: KinesisValue,
    partition_key: str,
    value_type: None = None,
    explicit_hash_key: str | None = None,
) -> EgressMessage: ...
@overload
def kinesis_egress_message(
    typename: TypeNameLike,
    stream: str,
    value: T,
    partition_key: str,
    value_type: Type[T],
    explicit_hash_key: str | None = None,
) -> EgressMessage: ...
def kinesis_egress_message(
    typename: TypeNameLike,
    stream: str,
    value: Any,
    partition_key: str,
    value_type: Type[Any] | None = None,
    explicit_hash_key: str | None = None,
) -> EgressMessage:
    """Build a record for a Kinesis egress.

    Args:
        typename: The egress, as the module file names it.
        stream: The stream.
        value: The value. Without `value_type`: text becomes UTF-8, bytes stay as they are.
        partition_key: Which shard gets the record; must not be empty.
        value_type: The type whose bytes become the record's data.
        explicit_hash_key: Overrides the hash of the partition key.

    Raises:
        ValueError: Something is missing.
        TypeError: A value without type is neither text nor bytes.
    """
    egress = typename_text(typename)
    if not stream:
        raise ValueError("the Kinesis stream is missing")
    if not partition_key:
        raise ValueError("the partition key is missing")
    record = KinesisEgressRecord()
    record.stream = stream
    record.value_bytes = encode(value_type, value) if value_type is not None else _text_or_bytes(value)
    record.partition_key = partition_key
    if explicit_hash_key is not None:
        record.explicit_hash_key = explicit_hash_key
    return EgressMessage(egress, (_KINESIS, record.SerializeToString()))


def egress_message_builder(
    target_typename: TypeNameLike, value: T, value_type: Type[T], headers: HeadersLike | None = None
) -> EgressMessage:
    """Build a message for an egress of any kind.

    Raises:
        ValueError: Something is missing.
    """
    egress = typename_text(target_typename)
    if not value_type:
        raise ValueError("the value_type is missing: an egress is told the type of every value")
    return EgressMessage(egress, value_source(value_type, value, headers))


@dataclass(slots=True)
class KafkaEgressBuilder(Generic[T]):
    """A Kafka record in the making; the fields are the arguments of `kafka_egress_message`."""

    target: TypeNameLike
    topic: str
    value: T
    value_type: Type[T] | None = None
    key: str | None = None
    headers: HeadersLike | None = None

    def to_egress_message(self) -> EgressMessage:
        """Build the message. Raises as `kafka_egress_message` does."""
        # The cast allows None too, for which the call checks the value.
        value_type = cast("Type[T]", self.value_type)
        return kafka_egress_message(self.target, self.topic, self.value, value_type, self.key, self.headers)


@dataclass(slots=True)
class KinesisEgressBuilder(Generic[T]):
    """A Kinesis record in the making; the fields are the arguments of `kinesis_egress_message`."""

    target: TypeNameLike
    stream: str
    value: T
    partition_key: str
    value_type: Type[T] | None = None
    explicit_hash_key: str | None = None

    def to_egress_message(self) -> EgressMessage:
        """Build the message. Raises as `kinesis_egress_message` does."""
        value_type = cast("Type[T]", self.value_type)
        return kinesis_egress_message(
            self.target, self.stream, self.value, self.partition_key, value_type, self.explicit_hash_key
        )


@dataclass(slots=True)
class GenericEgressBuilder(Generic[T]):
    """A message to any egress in the making; the fields are the arguments of `egress_message_builder`."""

    target: TypeNameLike
    value: T
    value_type: Type[T]
    headers: HeadersLike | None = None

    def to_egress_message(self) -> EgressMessage:
        """Build the message. Raises as `egress_message_builder` does."""
        return egress_message_builder(self.target, self.value, self.value_type, self.headers)


def _kafka_headers(headers: HeadersLike) -> bytes:
    record = KafkaProducerRecord()
    for name, content in normalise_headers(headers):
        record.headers.add(key=name, value=content or b"", has_value=content is not None)
    return record.SerializeToString()


def _kafka_bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bool):
        raise TypeError("a bool is no Kafka value: give value_type")
    if isinstance(value, int):
        try:
            return struct.pack(">i", value)
        except struct.error:
            raise ValueError(f"{value} needs more than the 4 bytes of Kafka's integer: give value_type") from None
    if isinstance(value, float):
        return struct.pack(">d", value)
    return _text_or_bytes(value)


def _text_or_bytes(value: object) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if value is None:
        raise ValueError("the value is missing")
    raise TypeError(f"a {type(value).__name__} does not become bytes by itself: give value_type")
