"""One Kafka for all tests of Flink."""

from collections.abc import Iterator

import pytest

from scripts.kafka_broker import BrokerProcess, plain_broker
from scripts.ports import free_port


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker."""
    port = free_port()
    running: BrokerProcess = plain_broker(tmp_path_factory.mktemp("kafka"), port)
    try:
        running.start()
        yield f"127.0.0.1:{port}"
    finally:
        running.kill()
