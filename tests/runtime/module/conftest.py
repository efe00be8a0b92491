from functools import partial
from pathlib import Path

import pytest

from .modules import Load, write_and_load


@pytest.fixture
def load(tmp_path: Path) -> Load:
    return partial(write_and_load, tmp_path)
