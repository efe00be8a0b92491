"""A process that is stopped for longer than its transaction may last."""

import signal
from pathlib import Path

import pytest

from tests.kafka.broker import Broker
from tests.kafka.pipeline import Pipeline
from tests.kafka.traffic import differences

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.mark.parametrize("point", ["begun", "flushed", "committing"])
def test_it_goes_on_after_the_broker_has_ended_its_transaction(broker: Broker, tmp_path: Path, point: str) -> None:
    pipeline = Pipeline(f"paused-{point}", broker, tmp_path / "run", broker.ports["plain"])
    try:
        with pipeline.watching:
            with pipeline.writing:
                pipeline.launch(point, 3, signal.SIGSTOP)
                pipeline.pause_and_go_on()
            pipeline.watching.wait_for(pipeline.writing.written, 60)
            pipeline.watching.wait_for_silence()
        assert pipeline.runtime.stop() == 0
    finally:
        pipeline.runtime.kill()
    assert differences(pipeline.name, pipeline.writing.written, pipeline.watching.records()) == []
