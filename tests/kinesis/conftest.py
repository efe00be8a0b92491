"""One server for all tests of Kinesis."""

from collections.abc import Iterator

import pytest

from tests.kinesis.server import Kinesis


@pytest.fixture(scope="session")
def kinesis() -> Iterator[Kinesis]:
    running = Kinesis()
    try:
        yield running
    finally:
        running.stop()
