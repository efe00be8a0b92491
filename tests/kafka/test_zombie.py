"""A runtime that was stopped and replaced wakes up."""

import shutil
import signal
from pathlib import Path

import pytest

from tests.kafka.broker import Broker
from tests.kafka.pipeline import Pipeline
from tests.kafka.traffic import differences

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(180)]


@pytest.mark.parametrize("point", ["begun", "flushed", "committed"])
def test_it_is_fenced_and_nothing_of_it_appears(broker: Broker, tmp_path: Path, point: str) -> None:
    pipeline = Pipeline(f"zombie-{point}", broker, tmp_path / "run", broker.ports["plain"])
    old, new = pipeline.runtime, pipeline.another(tmp_path / "new")
    try:
        with pipeline.watching:
            with pipeline.writing:
                pipeline.launch(point, 5, signal.SIGSTOP)
                pipeline.wait_until_stopped()
                shutil.copytree(old.data, new.data)
                pipeline.runtime = new
                seen = pipeline.watching.count
                pipeline.launch()
                pipeline.watching.wait_for(seen + 200, 60)
                old.command.send(signal.SIGCONT)
                assert old.command.wait() == 1
                pipeline.watching.wait_for(pipeline.watching.count + 200, 60)
            pipeline.watching.wait_for(pipeline.writing.written, 60)
            pipeline.watching.wait_for_silence()
        assert new.stop() == 0
    finally:
        old.kill()
        new.kill()
    assert "another runtime writes under the transactional id" in old.command.log.read_text()
    assert differences(pipeline.name, pipeline.writing.written, pipeline.watching.records()) == []
