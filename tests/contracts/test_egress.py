"""The egresses that need no other server keep their contract. Others: `make contracts`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from statefun_runtime.testing import EGRESS_CHECKS, EgressCheck, EgressHarness
from statefun_runtime.testing.egress_contract import (
    a_restored_runtime_goes_on,
    a_restored_runtime_is_not_taken_for_the_one_that_went_on,
)
from tests.contracts.harnesses import FileSink, HttpSink, SubscriptionSink
from tests.contracts.memory import MemorySink

pytestmark = [pytest.mark.contract]

# Its records are kept in the data directory, so the log of a restored application begins anew.
NOT_FOR_A_LOG_OF_ONE_LINEAGE = (a_restored_runtime_goes_on, a_restored_runtime_is_not_taken_for_the_one_that_went_on)


@pytest.mark.parametrize("check", EGRESS_CHECKS)
@pytest.mark.parametrize("harness", [MemorySink, FileSink, HttpSink])
async def test_an_egress_keeps_the_contract(
    harness: Callable[[Path], EgressHarness], check: EgressCheck, tmp_path: Path
) -> None:
    await check(harness(tmp_path))


@pytest.mark.parametrize("check", [check for check in EGRESS_CHECKS if check not in NOT_FOR_A_LOG_OF_ONE_LINEAGE])
async def test_the_subscription_egress_keeps_the_contract_within_a_lineage(check: EgressCheck, tmp_path: Path) -> None:
    await check(SubscriptionSink(tmp_path))
