"""The Java client's properties by what becomes of them in librdkafka.

Names: the configuration pages of Apache Kafka 4.1 and `CONFIGURATION.md` of librdkafka 2.x.
"""

from collections.abc import Mapping
from types import MappingProxyType

_COMMON = (
    "bootstrap.servers client.dns.lookup client.id client.rack connections.max.idle.ms metadata.max.age.ms "
    "reconnect.backoff.max.ms reconnect.backoff.ms retry.backoff.max.ms retry.backoff.ms sasl.kerberos.kinit.cmd "
    "sasl.kerberos.service.name sasl.mechanism security.protocol socket.connection.setup.timeout.ms ssl.key.password"
)
_CONSUMER = "check.crcs fetch.max.bytes fetch.min.bytes isolation.level max.partition.fetch.bytes"
_PRODUCER = (
    "acks batch.size compression.type delivery.timeout.ms linger.ms max.in.flight.requests.per.connection retries"
)

COMMON: Mapping[str, str] = MappingProxyType(
    {name: name for name in _COMMON.split()}
    | {
        "receive.buffer.bytes": "socket.receive.buffer.bytes",
        "send.buffer.bytes": "socket.send.buffer.bytes",
        "ssl.truststore.certificates": "ssl.ca.pem",
        "ssl.keystore.certificate.chain": "ssl.certificate.pem",
        "ssl.keystore.key": "ssl.key.pem",
    }
)
"""What both clients know: Java's name -> librdkafka's."""

CONSUMER: Mapping[str, str] = MappingProxyType(
    {name: name for name in _CONSUMER.split()}
    | {"fetch.max.wait.ms": "fetch.wait.max.ms", "request.timeout.ms": "socket.timeout.ms"}
)
"""What consumers know beyond `COMMON`."""

PRODUCER: Mapping[str, str] = MappingProxyType(
    {name: name for name in _PRODUCER.split()}
    | {"max.request.size": "message.max.bytes", "request.timeout.ms": "request.timeout.ms"}
)
"""What producers know beyond `COMMON`."""

TRANSLATED = frozenset(
    {
        "sasl.jaas.config",
        "ssl.endpoint.identification.algorithm",
        "ssl.keystore.location",
        "ssl.keystore.password",
        "ssl.keystore.type",
        "ssl.truststore.location",
        "ssl.truststore.password",
        "ssl.truststore.type",
    }
)
"""What `properties.py` and `stores.py` translate by rules of their own."""

OWN = frozenset(
    {
        "auto.offset.reset",
        "enable.auto.commit",
        "enable.idempotence",
        "group.id",
        "key.deserializer",
        "key.serializer",
        "transaction.timeout.ms",
        "transactional.id",
        "value.deserializer",
        "value.serializer",
    }
)
"""What the runtime decides, from the module's fields and from how it works."""

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "config.providers": "the runtime reads ${env:NAME} and ${file:PATH} by itself; take it out",
        "sasl.client.callback.handler.class": "it names Java code",
        "sasl.login.callback.handler.class": "it names Java code",
        "sasl.login.class": "it names Java code",
        "security.providers": "it names Java code",
        "ssl.cipher.suites": "Java's names of cipher suites are not OpenSSL's",
        "ssl.enabled.protocols": "OpenSSL chooses the protocol; leave it out",
        "ssl.engine.factory.class": "it names Java code",
        "ssl.protocol": "OpenSSL chooses the protocol; leave it out",
        "interceptor.classes": "it names Java code",
        "partitioner.class": "it names Java code",
    }
)
"""What cannot be honoured and must not be passed over, with the reason."""

IGNORED = frozenset(
    [
        "allow.auto.create.topics",
        "auto.commit.interval.ms",
        "auto.include.jmx.reporter",
        "buffer.memory",
        "default.api.timeout.ms",
        "enable.metrics.push",
        "exclude.internal.topics",
        "flink.partition-discovery.interval-millis",
        "group.instance.id",
        "group.protocol",
        "heartbeat.interval.ms",
        "max.block.ms",
        "max.poll.interval.ms",
        "max.poll.records",
        "metadata.max.idle.ms",
        "metadata.recovery.strategy",
        "metric.reporters",
        "metrics.num.samples",
        "metrics.recording.level",
        "metrics.sample.window.ms",
        "partition.assignment.strategy",
        "partition.discovery.interval.ms",
        "partitioner.adaptive.partitioning.enable",
        "partitioner.availability.timeout.ms",
        "partitioner.ignore.keys",
        "session.timeout.ms",
        "socket.connection.setup.timeout.max.ms",
        "ssl.keymanager.algorithm",
        "ssl.secure.random.implementation",
        "ssl.trustmanager.algorithm",
    ]
)
"""Tuning that has no counterpart here; left out with a warning."""
