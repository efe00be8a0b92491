"""A disk that fails when told to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import shim
from tests.faults.reader import Reader
from tests.faults.shim import FailingDisk


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shim.build(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def disk(library: Path, tmp_path: Path) -> FailingDisk:
    return FailingDisk(library, tmp_path)


@pytest.fixture
def reader(disk: FailingDisk) -> Iterator[Reader]:
    reader = Reader(disk)
    yield reader
    reader.close()
