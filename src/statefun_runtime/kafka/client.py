"""The settings that all clients of Kafka share."""

import logging
from collections.abc import Mapping
from functools import partial

from confluent_kafka import KafkaError

from statefun_runtime.connection import Connection
from statefun_runtime.errors import ModuleError
from statefun_runtime.kafka.properties import PropertyError, Role, translate
from statefun_runtime.kafka.reasons import BROKERS, plain, tell
from statefun_runtime.kafka.stores import store_settings

_LIBRARY_LOG = logging.getLogger("statefun_runtime.kafka.librdkafka")

_SYSLOG_CRITICAL = 2
_LONGEST_RECONNECT = "1000"
"""Milliseconds, as Java's client has it. librdkafka's ten seconds are longer than many a transaction may last."""

_log = logging.getLogger(__name__)


def client_settings(
    name: str, address: str | None, properties: Mapping[str, str], role: Role, connection: Connection
) -> dict[str, object]:
    """The settings of a client for librdkafka. What is left out of `properties` is told where module files are read.

    Args:
        name: Whose client it is, for the log.
        address: The brokers; wins over `bootstrap.servers`.
        properties: The module's, with Java's names.
        role: Which client it is.
        connection: Is told what the client has to say about its brokers.

    Raises:
        ModuleError: A property cannot be used.
    """
    try:
        translation = translate(properties, role)
        stores = store_settings(properties)
    except PropertyError as error:
        raise ModuleError(f"{name}: {error}") from error
    settings: dict[str, object] = {**translation.settings, **stores}
    if "reconnect.backoff.ms" not in settings:
        settings.setdefault("reconnect.backoff.max.ms", _LONGEST_RECONNECT)
    if address is not None:
        settings["bootstrap.servers"] = address
    settings["error_cb"] = partial(_on_error, name, connection)
    settings["logger"] = _LIBRARY_LOG
    # Every failed attempt to connect, ten in a second, is logged as an error; `error_cb` is told of them too.
    settings["log_level"] = _SYSLOG_CRITICAL
    return settings


def _on_error(name: str, connection: Connection, error: KafkaError) -> None:
    if tell(connection, BROKERS, error):
        _log.warning("%s: %s; trying again", name, plain(error))
