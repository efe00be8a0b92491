"""A copy of a data directory whose original went on is refused, and what it must be done with instead works."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.command import statefun, wait_until
from tests.kafka.broker import Broker
from tests.kafka.pipeline import Pipeline
from tests.kafka.traffic import differences

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(180)]

REFUSAL = "the data directory is older than what went out"


def test_a_copy_that_its_original_has_left_behind_is_refused_and_its_savepoint_is_not(
    broker: Broker, tmp_path: Path
) -> None:
    pipeline = Pipeline("copy", broker, tmp_path / "run", broker.ports["plain"])
    original, copy, restored = (
        pipeline.runtime,
        pipeline.another(tmp_path / "copy"),
        pipeline.another(tmp_path / "restored"),
    )
    runtimes = (original, copy, restored)
    try:
        with pipeline.watching:
            write_and_stop(pipeline, 100)
            shutil.copytree(original.data, copy.data)
            write_and_stop(pipeline, 100)
            pipeline.runtime = copy
            for _ in range(3):
                # It goes on by itself until it hears of the marker, so the second time it has epochs of its own.
                pipeline.launch()
                assert copy.command.wait() == 1
            pipeline.watching.wait_for_silence()
            assert pipeline.watching.count == 200
            for arguments in (
                ("create", "left-behind", "--data", str(copy.data)),
                ("restore", str(copy.data / "savepoints" / "left-behind"), "--data", str(restored.data)),
            ):
                done = statefun("savepoint", *arguments)
                assert done.returncode == 0, done.stderr
            pipeline.runtime = restored
            pipeline.launch()
            # What the original wrote behind the copy comes again, and what is new comes too.
            pipeline.writing.write(100)
            pipeline.watching.wait_for(400, 60)
            pipeline.watching.wait_for_silence()
        assert restored.stop() == 0
    finally:
        for runtime in runtimes:
            runtime.kill()
    log = copy.command.log.read_text()
    assert log.count(REFUSAL) >= 3
    assert "copy-kafka.out-marker" in log
    records = pipeline.watching.records()
    assert differences("copy", 200, records[:200]) == []
    assert differences("copy", 300, [*records[:100], *records[200:]]) == []


def test_the_original_goes_on_beside_a_refused_copy(broker: Broker, tmp_path: Path) -> None:
    pipeline = Pipeline("beside", broker, tmp_path / "run", broker.ports["plain"])
    original, copy = pipeline.runtime, pipeline.another(tmp_path / "copy")
    try:
        with pipeline.watching:
            write_and_stop(pipeline, 100)
            shutil.copytree(original.data, copy.data)
            with pipeline.writing:
                pipeline.launch()
                pipeline.watching.wait_for(200, 60)
                pipeline.runtime = copy
                pipeline.launch()
                assert copy.command.wait() == 1
                pipeline.watching.wait_for(pipeline.watching.count + 100, 60)
            pipeline.watching.wait_for(pipeline.writing.written, 60)
            pipeline.watching.wait_for_silence()
        assert original.stop() == 0
    finally:
        original.kill()
        copy.kill()
    assert REFUSAL in copy.command.log.read_text()
    assert differences("beside", pipeline.writing.written, pipeline.watching.records()) == []


def write_and_stop(pipeline: Pipeline, count: int) -> None:
    """Let the application take so many more records, and stop it when they are out and known to be out."""
    pipeline.launch()
    pipeline.writing.write(count)
    pipeline.watching.wait_for(pipeline.writing.written, 60)
    wait_until(pipeline.runtime.is_ready, "the start")
    assert pipeline.runtime.stop() == 0
