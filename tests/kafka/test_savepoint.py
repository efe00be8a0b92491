"""A savepoint is restored after the old lineage went on: all of the new one comes, and what was out comes not again."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from tests.e2e.command import statefun
from tests.kafka.broker import Broker
from tests.kafka.pipeline import Pipeline
from tests.kafka.traffic import KEYS

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(180)]


def test_no_record_of_the_new_lineage_is_skipped_and_none_of_the_savepoint_doubled(
    broker: Broker, tmp_path: Path
) -> None:
    pipeline = Pipeline("savepoint", broker, tmp_path / "run", broker.ports["plain"])
    old, new = pipeline.runtime, pipeline.another(tmp_path / "new")
    try:
        with pipeline.watching:
            with pipeline.writing:
                pipeline.launch("committed", 20)
                pipeline.wait_until_killed()
                run_savepoint("create", "middle", "--data", str(old.data))
                seen = counts(old.data)
                pipeline.launch()
                pipeline.watching.wait_for(pipeline.watching.count + 500, 60)
                old.kill()
                pipeline.watching.wait_for_silence()
                before = pipeline.watching.count
                run_savepoint("restore", str(old.data / "savepoints" / "middle"), "--data", str(new.data))
                pipeline.runtime = new
                pipeline.launch()
                pipeline.watching.wait_for(before + 500, 60)
            again = before - sum(seen.values())
            pipeline.watching.wait_for(pipeline.writing.written + again, 60)
            pipeline.watching.wait_for_silence()
        assert new.stop() == 0
    finally:
        old.kill()
        new.kill()
    assert again >= 500, "the old lineage did not go on behind the savepoint"
    assert pipeline.in_doubt() == 1, "no record of the savepoint had gone out"
    records = pipeline.watching.records()
    first, second = numbers(records[:before]), numbers(records[before:])
    for key in range(KEYS):
        name = f"savepoint.{key}"
        wanted = list(range(key, pipeline.writing.written, KEYS))
        assert first[name] == wanted[: len(first[name])]
        assert second[name] == wanted[seen[name] :]


def run_savepoint(*arguments: str) -> None:
    done = statefun("savepoint", *arguments)
    assert done.returncode == 0, done.stderr


def counts(data: Path) -> dict[str, int]:
    """How many messages each address has seen."""
    listed = statefun("state", "list", "--data", str(data), "--type", "kafka/counter", "--json")
    assert listed.returncode == 0, listed.stderr
    return {row["id"]: row["value"] for row in map(json.loads, listed.stdout.splitlines())}


def numbers(records: list[tuple[str, str]]) -> dict[str, list[int]]:
    """The numbers of the inputs, by key, in the order of the outputs."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for key, value in records:
        found[key].append(int(value.split()[1]))
    return found
