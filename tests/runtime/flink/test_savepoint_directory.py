from pathlib import Path

import pytest

from statefun_runtime.flink.savepoint_directory import SavepointDirectory
from tests.runtime.flink.flink_server import JOB, make_savepoint


def test_only_a_whole_savepoint_of_the_job_that_was_not_there_before_is_its_own(tmp_path: Path) -> None:
    directory = tmp_path / "with space"
    make_savepoint(directory / f"savepoint-{JOB[:6]}-before")
    savepoints = SavepointDirectory(directory.as_uri(), JOB)
    make_savepoint(directory / "savepoint-000000-other")
    (directory / f"savepoint-{JOB[:6]}-now").mkdir()
    assert savepoints.made() is None
    make_savepoint(directory / f"savepoint-{JOB[:6]}-now")
    assert savepoints.made() == directory / f"savepoint-{JOB[:6]}-now"


@pytest.mark.parametrize(("prefix", "found"), [("", True), ("file:", True), ("hdfs:", False), ("file://other", False)])
def test_directories_of_this_machine_alone_are_looked_into(tmp_path: Path, prefix: str, found: bool) -> None:
    savepoints = SavepointDirectory(f"{prefix}{tmp_path}", JOB)
    make_savepoint(tmp_path / f"savepoint-{JOB[:6]}-1")
    assert (savepoints.made() is not None) == found
