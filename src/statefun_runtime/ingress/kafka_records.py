"""Makes messages of Kafka records: the key in UTF-8 is the target's id, the value is the message's bytes."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.payload import value_encoder
from statefun_runtime.interfaces import Arrival, Payload
from statefun_runtime.module.ingress_spec import Handling, KafkaIngressSpec, KafkaTopic

Headers: TypeAlias = Sequence[tuple[str, str | bytes | None]]

KEY_HEADER = "kafka.key"
"""The header of a rejected record under which its key is kept."""


class InvalidKafkaRecordError(Exception):
    """The record cannot become a message; the text completes "a record …"."""


class KafkaRecord(NamedTuple):
    """What a consumer brings."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class _Route(NamedTuple):
    value_type: str
    targets: tuple[str, ...]
    encode: Callable[[bytes], Payload]
    handling: Handling


class KafkaRecords:
    """Converts the records of an ingress's topics."""

    def __init__(self, spec: KafkaIngressSpec) -> None:
        self._routes = {topic.topic: _route(topic, spec) for topic in spec.topics}
        self._forwards_headers = spec.forward_headers

    def handling(self, topic: str) -> Handling:
        """What becomes of the invalid records of a topic."""
        return self._routes[topic].handling

    def arrivals(self, topic: str, record: KafkaRecord) -> list[Arrival]:
        """One message for each target, in the module's order.

        Raises:
            InvalidKafkaRecordError: The record has no key, an empty one or no value, or its key is not UTF-8.
        """
        route = self._routes[topic]
        key, value, headers = record
        if not key:
            raise InvalidKafkaRecordError("has no key, which would be the target's id")
        if value is None:
            raise InvalidKafkaRecordError("has no value")
        try:
            target_id = key.decode()
        except UnicodeDecodeError as error:
            raise InvalidKafkaRecordError("has a key that is not UTF-8") from error
        payload = route.encode(value)
        if headers and self._forwards_headers:
            payload += _encoded(headers)
        return [Arrival((target, target_id), payload) for target in route.targets]

    def kept(self, topic: str, record: KafkaRecord) -> Payload:
        """An invalid record as a dead letter keeps it: the value, if there is one, the headers, and the key as one."""
        key, value, headers = record
        typed = TypedValue(typename=self._routes[topic].value_type, has_value=value is not None, value=value or b"")
        keys = () if key is None else ((KEY_HEADER, key),)
        return typed.SerializeToString() + _encoded((*keys, *headers))


def _route(topic: KafkaTopic, spec: KafkaIngressSpec) -> _Route:
    chosen = topic.invalid_record_handling or spec.invalid_record_handling
    return _Route(topic.value_type, topic.targets, value_encoder(topic.value_type), chosen.type)


def _encoded(headers: Iterable[tuple[str, str | bytes | None]]) -> bytes:
    """What is to be put behind an encoded `TypedValue` to give it these headers."""
    typed = TypedValue()
    for name, value in headers:
        content = value.encode() if isinstance(value, str) else value
        typed.metadata.add(key=name, value=content or b"", has_value=content is not None)
    return typed.SerializeToString()
