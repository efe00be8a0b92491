"""The ingresses that need no other server keep their contract. Others: `make contracts`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from statefun_runtime.testing import INGRESS_CHECKS, IngressCheck, IngressHarness
from tests.contracts.harnesses import FileSource, HttpSource
from tests.contracts.memory import MemorySource

pytestmark = [pytest.mark.contract]


@pytest.mark.parametrize("check", INGRESS_CHECKS)
@pytest.mark.parametrize("harness", [MemorySource, FileSource, HttpSource])
async def test_an_ingress_keeps_the_contract(
    harness: Callable[[Path], IngressHarness], check: IngressCheck, tmp_path: Path
) -> None:
    await check(harness(tmp_path))
