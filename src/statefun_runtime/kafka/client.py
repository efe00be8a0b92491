"""The settings that all clients of Kafka share."""

import logging
from collections.abc import Mapping
from functools import partial

from confluent_kafka import KafkaError

from statefun_runtime.errors import ModuleError
from statefun_runtime.kafka.properties import PropertyError, Role, translate

_LIBRARY_LOG = logging.getLogger("statefun_runtime.kafka.librdkafka")

_log = logging.getLogger(__name__)


def client_settings(name: str, address: str | None, properties: Mapping[str, str], role: Role) -> dict[str, object]:
    """The settings of a client for librdkafka; what was left out of `properties` is logged.

    Args:
        name: Whose client it is, for the log.
        address: The brokers; wins over `bootstrap.servers`.
        properties: The module's, with Java's names.
        role: Which client it is.

    Raises:
        ModuleError: A property cannot be used.
    """
    try:
        translation = translate(properties, role)
    except PropertyError as error:
        raise ModuleError(f"{name}: {error}") from error
    for warning in translation.warnings:
        _log.warning("%s: %s", name, warning)
    settings: dict[str, object] = dict(translation.settings)
    if address is not None:
        settings["bootstrap.servers"] = address
    settings["error_cb"] = partial(_on_error, name)
    settings["logger"] = _LIBRARY_LOG
    settings["log.connection.close"] = False
    return settings


def _on_error(name: str, error: KafkaError) -> None:
    _log.warning("%s: %s", name, error.str())
