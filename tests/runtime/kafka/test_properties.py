"""The Java client's properties become librdkafka's; what cannot be honoured is an error without its value."""

import pytest
from confluent_kafka import Consumer, KafkaError, Producer

from statefun_runtime.kafka import errors
from statefun_runtime.kafka.properties import PropertyError, Role, remarks, translate
from statefun_runtime.kafka.property_table import COMMON, CONSUMER, IGNORED, OWN, PRODUCER, REFUSED, TRANSLATED

SECRET = "hunter2"
JAAS = 'org.apache.kafka.common.security.{module} required username="alice" password="{password}";'


def test_a_name_that_differs_is_translated() -> None:
    settings = translate({"max.request.size": "5", "send.buffer.bytes": "7"}, Role.PRODUCER).settings
    assert settings == {"message.max.bytes": "5", "socket.send.buffer.bytes": "7"}


def test_request_timeout_is_named_by_role() -> None:
    given = {"request.timeout.ms": "5"}
    assert translate(given, Role.CONSUMER).settings == {"socket.timeout.ms": "5"}
    assert translate(given, Role.PRODUCER).settings == {"request.timeout.ms": "5"}


def test_a_login_becomes_user_name_and_password() -> None:
    jaas = JAAS.format(module="plain.PlainLoginModule", password=SECRET)
    settings = translate({"sasl.jaas.config": jaas, "sasl.mechanism": "PLAIN"}, Role.CONSUMER).settings
    assert settings == {"sasl.mechanism": "PLAIN", "sasl.username": "alice", "sasl.password": SECRET}


def test_a_login_that_cannot_be_used_is_an_error_without_its_secret() -> None:
    with pytest.raises(PropertyError, match=r"the property sasl\.jaas\.config cannot be read") as caught:
        translate({"sasl.jaas.config": SECRET}, Role.CONSUMER)
    assert SECRET not in str(caught.value)


def test_no_host_check_is_said_in_words() -> None:
    settings = translate({"ssl.endpoint.identification.algorithm": ""}, Role.CONSUMER).settings
    assert settings == {"ssl.endpoint.identification.algorithm": "none"}


@pytest.mark.parametrize("name", ["max.poll.records", "linger.ms", "group.id"])
def test_what_has_no_meaning_is_left_out_with_a_warning(name: str) -> None:
    settings, warnings = translate({name: SECRET}, Role.CONSUMER)
    assert settings == {}
    assert len(warnings) == 1
    assert name in warnings[0]
    assert SECRET not in warnings[0]


def test_all_that_is_to_be_said_of_properties_is_said_by_name_and_without_values() -> None:
    given = {
        "acks": SECRET,
        "max.poll.records": SECRET,
        "sasl.mechansm": SECRET,
        "sasl.jaas.config": SECRET,
        "ssl.keystore.password": SECRET,
    }
    found = list(remarks(given, Role.PRODUCER))
    assert [(remark.name, remark.is_error) for remark in found] == [
        ("max.poll.records", False),
        ("sasl.mechansm", True),
        ("sasl.jaas.config", True),
    ]
    assert not any(SECRET in remark.text for remark in found)


def test_an_unknown_property_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(PropertyError, match=r"bootstrap\.server is unknown; did you mean bootstrap\.servers\?"):
        translate({"bootstrap.server": SECRET}, Role.CONSUMER)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_must_not_be_passed_over_is_an_error(name: str) -> None:
    with pytest.raises(PropertyError, match="cannot be honoured"):
        translate({name: SECRET}, Role.PRODUCER)


def test_no_property_is_in_two_tables() -> None:
    tables = [set(COMMON), set(CONSUMER) | set(PRODUCER), TRANSLATED, OWN, set(REFUSED), IGNORED]
    assert len(set[str]().union(*tables)) == sum(map(len, tables))


@pytest.mark.parametrize(("role", "names"), [(Role.CONSUMER, CONSUMER), (Role.PRODUCER, PRODUCER)])
def test_librdkafka_knows_every_name(role: Role, names: dict[str, str]) -> None:
    special = {"ssl.ca.pem", "ssl.certificate.pem", "ssl.key.pem", "sasl.kerberos.service.name"}
    values = {
        "security.protocol": "plaintext",
        "sasl.mechanism": "PLAIN",
        "isolation.level": "read_committed",
        "client.dns.lookup": "use_all_dns_ips",
        "compression.type": "lz4",
        "check.crcs": "true",
        "acks": "all",
        "linger.ms": "5",
        "fetch.max.bytes": "52428800",
        "message.max.bytes": "1000000",
        "fetch.min.bytes": "1",
        "bootstrap.servers": "127.0.0.1:1",
        "max.in.flight.requests.per.connection": "5",
    }
    settings: dict[str, object] = {
        name: values.get(name, "1000") for name in {**COMMON, **names}.values() if name not in special
    }
    client = Consumer({**settings, "group.id": "x", "log_level": 0}) if role is Role.CONSUMER else None
    producer = Producer({**settings, "log_level": 0}) if role is Role.PRODUCER else None
    assert (client is None) != (producer is None)
    if client is not None:
        client.close()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (errors.PARTITION_EOF, "_PARTITION_EOF"),
        (errors.FAILED, "_FAIL"),
        (errors.INVALID_ARGUMENT, "_INVALID_ARG"),
        (errors.TIMED_OUT, "_TIMED_OUT"),
        (errors.PURGED_FROM_QUEUE, "_PURGE_QUEUE"),
        (errors.PURGED_IN_FLIGHT, "_PURGE_INFLIGHT"),
    ],
)
def test_the_codes_of_errors_are_those_of_the_library(code: int, name: str) -> None:
    assert KafkaError(code).name() == name
