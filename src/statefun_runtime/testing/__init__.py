"""Checks for ingresses and egresses of your own: the contract that the runtime's own adapters are tested by.

A harness makes the adapter and plays the outside system. Each check is an async function that takes a new harness;
`INGRESS_CHECKS` and `EGRESS_CHECKS` hold all of them. They need no test framework. With pytest and pytest-asyncio:

    @pytest.mark.parametrize("check", EGRESS_CHECKS)
    async def test_the_egress_keeps_the_contract(check: EgressCheck, tmp_path: Path) -> None:
        await check(MyHarness(tmp_path))
"""

from statefun_runtime.testing.contract import PATIENCE, ContractError, CrashError
from statefun_runtime.testing.egress_contract import EGRESS_CHECKS, EgressCheck, EgressHarness
from statefun_runtime.testing.ingress_contract import INGRESS_CHECKS, IngressCheck, IngressHarness
from statefun_runtime.testing.inlet import CrashingInlet, MemoryInlet
from statefun_runtime.testing.outbox import MemoryOutbox

__all__ = [
    "EGRESS_CHECKS",
    "INGRESS_CHECKS",
    "PATIENCE",
    "ContractError",
    "CrashError",
    "CrashingInlet",
    "EgressCheck",
    "EgressHarness",
    "IngressCheck",
    "IngressHarness",
    "MemoryInlet",
    "MemoryOutbox",
]
