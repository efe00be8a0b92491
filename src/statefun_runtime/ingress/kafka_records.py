"""Makes messages of Kafka records: the key in UTF-8 is the target's id, the value is the message's bytes."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from statefun_runtime.ingress.payload import value_encoder
from statefun_runtime.interfaces import Arrival, Payload
from statefun_runtime.module.ingress_spec import KafkaTopic
from statefun_runtime.module.spec import InvalidRecordHandling


class InvalidKafkaRecordError(Exception):
    """The record cannot become a message; the text completes "a record …"."""


class _Route(NamedTuple):
    targets: tuple[str, ...]
    encode: Callable[[bytes], Payload]
    skips: bool


class KafkaRecords:
    """Converts the records of an ingress's topics."""

    def __init__(self, topics: Iterable[KafkaTopic], handling: InvalidRecordHandling | None) -> None:
        """Args: `handling` is that of the ingress; a topic's own wins. Without either the ingress fails."""
        self._routes = {
            topic.topic: _Route(topic.targets, value_encoder(topic.value_type), _skips(topic, handling))
            for topic in topics
        }

    def skips_invalid(self, topic: str) -> bool:
        """Whether invalid records of a topic are left out, instead of ending the ingress."""
        return self._routes[topic].skips

    def arrivals(self, topic: str, key: bytes | None, value: bytes | None) -> list[Arrival]:
        """One message for each target, in the module's order.

        Raises:
            InvalidKafkaRecordError: The record has no key, an empty one or no value, or its key is not UTF-8.
        """
        route = self._routes[topic]
        if not key:
            raise InvalidKafkaRecordError("has no key, which would be the target's id")
        if value is None:
            raise InvalidKafkaRecordError("has no value")
        try:
            target_id = key.decode()
        except UnicodeDecodeError as error:
            raise InvalidKafkaRecordError("has a key that is not UTF-8") from error
        payload = route.encode(value)
        return [Arrival((target, target_id), payload) for target in route.targets]


def _skips(topic: KafkaTopic, handling: InvalidRecordHandling | None) -> bool:
    chosen = topic.invalid_record_handling or handling
    return chosen is not None and chosen.type == "skip"
