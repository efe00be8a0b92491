import asyncio
import gc
import sys
from collections.abc import Iterator

import pytest

from statefun_runtime.cli import process


@pytest.fixture
def interpreter() -> Iterator[None]:
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("interpreter")
def test_a_process_is_tuned_for_low_latency() -> None:
    process.tune()
    assert sys.getswitchinterval() == pytest.approx(process.SWITCH_INTERVAL)
    assert gc.get_threshold() == process.GC_THRESHOLDS
    assert gc.get_freeze_count() > 0


def test_a_coroutine_runs_on_uvloop_where_it_is_installed() -> None:
    async def loop_module() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert process.run(loop_module()) == "uvloop"
