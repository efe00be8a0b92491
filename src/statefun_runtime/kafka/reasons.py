"""Tells a connection in plain words what an error of Kafka's client means."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from confluent_kafka import KafkaError

from statefun_runtime.connection import Connection
from statefun_runtime.kafka.errors import (
    ALL_BROKERS_DOWN,
    AUTHENTICATION,
    RESOLVE,
    SSL,
    TIMED_OUT,
    TRANSPORT,
    UNKNOWN_PARTITION,
    UNKNOWN_TOPIC,
)

BROKERS: Final = "brokers"
"""What a problem concerns that is not that of one topic."""

_VAGUE: Final = frozenset({ALL_BROKERS_DOWN, TRANSPORT, TIMED_OUT})
_WORDS: Mapping[int, str] = MappingProxyType(
    {
        ALL_BROKERS_DOWN: "no broker can be reached",
        TRANSPORT: "a broker cannot be reached",
        TIMED_OUT: "no broker has answered in time",
        RESOLVE: "the host of a broker is not known",
        AUTHENTICATION: "the login is refused",
        KafkaError.SASL_AUTHENTICATION_FAILED: "the login is refused",
        SSL: "TLS with a broker fails",
        UNKNOWN_TOPIC: "the topic does not exist",
        UNKNOWN_PARTITION: "the partition does not exist",
        KafkaError.UNKNOWN_TOPIC_OR_PART: "the topic does not exist",
        KafkaError.TOPIC_AUTHORIZATION_FAILED: "this user may not use the topic",
        KafkaError.GROUP_AUTHORIZATION_FAILED: "this user may not use the consumer group",
        KafkaError.CLUSTER_AUTHORIZATION_FAILED: "this user may not do that on the cluster",
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "this user may not use the transactional id",
    }
)


def tell(connection: Connection, what: str, error: KafkaError) -> bool:
    """Note an error as a problem; return whether it is news, so that it is not logged at every attempt."""
    # That nobody answers is what a refused login looks like in the end.
    return connection.failed(what, *_words(error), is_vague=error.code() in _VAGUE)


def plain(error: KafkaError) -> str:
    """The error in words, with what the client says."""
    reason, detail = _words(error)
    return f"{reason} ({detail})" if detail else reason


def _words(error: KafkaError) -> tuple[str, str]:
    words = _WORDS.get(error.code())
    return (error.str(), "") if words is None else (words, error.str())
