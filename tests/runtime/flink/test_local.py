import os
import time
from pathlib import Path
from threading import Event

import pytest

from statefun_runtime.flink.flink_process import FlinkProcess, Home
from statefun_runtime.flink.local import LocalFlink
from tests.runtime.flink.flink_server import JOB, PLACE, FlinkAnswers, flink_server, make_savepoint


class Ended(FlinkProcess):
    """A process of Flink that has ended, or one that goes on."""

    def __init__(self, home: Home, code: int | None) -> None:
        self.name = "flink"
        self.log = home.log("flink")
        self._code = code

    def failed(self) -> int | None:
        return self._code


def stopped(home: Home, answers: FlinkAnswers, code: int | None) -> list[str]:
    """What is told when a local Flink is stopped whose process then has ended with `code`."""
    told: list[str] = []
    stop = Event()
    stop.set()
    with flink_server(answers) as url:
        LocalFlink(home, url, [Ended(home, code)], None, told.append).run(stop)
    return told


def test_the_place_of_the_savepoint_is_told(tmp_path: Path) -> None:
    answers = FlinkAnswers()
    answers.in_progress = 1
    assert stopped(Home(tmp_path), answers, None)[-1] == (
        f"stopped; to go on from here: --from-savepoint {PLACE.removeprefix('file:')}"
    )


def test_the_savepoint_of_a_flink_that_ended_before_it_told_is_found(tmp_path: Path) -> None:
    home, answers = Home(tmp_path), FlinkAnswers()
    make_savepoint(home.savepoints / f"savepoint-{JOB[:6]}-before")
    answers.ends = True
    answers.leaves = (home.savepoints / f"savepoint-{JOB[:6]}-now", home.savepoints / "savepoint-000000-other")
    assert stopped(home, answers, 0)[-1] == f"stopped; to go on from here: --from-savepoint {answers.leaves[0]}"


@pytest.mark.parametrize(("code", "leaves"), [(0, ()), (1, (f"savepoint-{JOB[:6]}-now",))])
def test_a_flink_that_ended_badly_or_without_a_savepoint_is_told(
    tmp_path: Path, code: int, leaves: tuple[str, ...]
) -> None:
    home, answers = Home(tmp_path), FlinkAnswers()
    answers.ends = True
    answers.leaves = tuple(home.savepoints / name for name in leaves)
    assert stopped(home, answers, code)[-1].startswith(f"stopped without a savepoint: flink ended with code {code}")


@pytest.mark.parametrize("made", ["savepoint-aaaaaa-now", None])
def test_a_job_that_was_stopped_from_elsewhere_ends_the_run_in_order(tmp_path: Path, made: str | None) -> None:
    home, answers, told = Home(tmp_path), FlinkAnswers(), list[str]()
    with flink_server(answers) as url:
        flink = LocalFlink(home, url, [Ended(home, 0)], None, told.append)
        if made is not None:
            make_savepoint(home.savepoints / made)
            # Files may have the time of the kernel's last tick, which was before the start.
            os.utime(home.savepoints / made / "_metadata", (time.time() + 1, time.time() + 1))
        flink.run(Event())
    how = "There is no checkpoint of this run."
    if made is not None:
        how = f"To go on from its last savepoint here: --from-savepoint {home.savepoints / made}"
    assert told[-1] == f"the job was stopped from elsewhere. {how}"


def test_a_lost_answer_to_the_stop_is_asked_for_again_by_the_same_request(tmp_path: Path) -> None:
    answers = FlinkAnswers()
    answers.lost = 1
    assert PLACE.removeprefix("file:") in stopped(Home(tmp_path), answers, None)[-1]
    (path, first), second = answers.asked
    assert path == f"/jobs/{JOB}/stop"
    assert (path, first) == second
