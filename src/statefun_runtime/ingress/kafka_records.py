"""Makes messages of Kafka records: the key in UTF-8 is the target's id, the value is the message's bytes."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.payload import value_encoder
from statefun_runtime.interfaces import Arrival, Payload
from statefun_runtime.module.ingress_spec import Handling, KafkaIngressSpec, KafkaTopic

Headers: TypeAlias = dict[str, str | bytes | None] | Sequence[tuple[str, str | bytes | None]] | None
"""As the client's types have them. In truth a consumer's headers are a list, or None."""

KEY_HEADER = "kafka.key"
"""The header of a rejected record under which its key is kept."""


class InvalidKafkaRecordError(Exception):
    """The record cannot become a message; the text completes "a record …"."""


class TopicRecords:
    """Converts the records of one topic."""

    def __init__(self, topic: KafkaTopic, spec: KafkaIngressSpec) -> None:
        self.handling: Handling = (topic.invalid_record_handling or spec.invalid_record_handling).type
        """What becomes of invalid records."""
        self._value_type = topic.value_type
        self._targets = topic.targets
        self._encode = value_encoder(topic.value_type)
        self._forwards_headers = spec.forward_headers

    def arrivals(self, key: bytes | None, value: bytes | None, headers: Headers = None) -> list[Arrival]:
        """One message for each target, in the module's order.

        Raises:
            InvalidKafkaRecordError: The record has no key, an empty one or no value, or its key is not UTF-8.
        """
        if not key:
            raise InvalidKafkaRecordError("has no key, which would be the target's id")
        if value is None:
            raise InvalidKafkaRecordError("has no value")
        try:
            target_id = key.decode()
        except UnicodeDecodeError as error:
            raise InvalidKafkaRecordError("has a key that is not UTF-8") from error
        payload = self._encode(value)
        if headers and self._forwards_headers:
            payload += _encoded(_pairs(headers))
        return [Arrival((target, target_id), payload) for target in self._targets]

    def kept(self, key: bytes | None, value: bytes | None, headers: Headers = None) -> Payload:
        """An invalid record as a dead letter keeps it: the value, if there is one, the headers, and the key as one."""
        typed = TypedValue(typename=self._value_type, has_value=value is not None, value=value or b"")
        keys = () if key is None else ((KEY_HEADER, key),)
        return typed.SerializeToString() + _encoded((*keys, *_pairs(headers)))


def topic_records(spec: KafkaIngressSpec) -> dict[str, TopicRecords]:
    """What converts the records of each topic of an ingress."""
    return {topic.topic: TopicRecords(topic, spec) for topic in spec.topics}


def _pairs(headers: Headers) -> Iterable[tuple[str, str | bytes | None]]:
    return headers.items() if isinstance(headers, dict) else headers or ()


def _encoded(headers: Iterable[tuple[str, str | bytes | None]]) -> bytes:
    """What is to be put behind an encoded `TypedValue` to give it these headers."""
    typed = TypedValue()
    for name, value in headers:
        content = value.encode() if isinstance(value, str) else value
        typed.metadata.add(key=name, value=content or b"", has_value=content is not None)
    return typed.SerializeToString()
