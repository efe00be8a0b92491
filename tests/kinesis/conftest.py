"""The servers of all tests of Kinesis."""

from collections.abc import Iterator

import pytest

from tests.kinesis.node_server import NodeKinesis
from tests.kinesis.server import Kinesis


@pytest.fixture(scope="session")
def kinesis() -> Iterator[Kinesis]:
    running = Kinesis()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def node_kinesis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeKinesis]:
    running = NodeKinesis(tmp_path_factory.mktemp("kinesis"))
    try:
        running.start()
        yield running
    finally:
        running.stop()
