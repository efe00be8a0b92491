"""`statefun flink status`, `savepoint` and `stop`, against a server that answers as Flink does."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from statefun_runtime.cli.failure import ExitCode
from statefun_runtime.cli.main import main
from tests.runtime.flink.flink_server import JOB, PLACE, FlinkAnswers, flink_server, overview

OTHER = "0" * 32
CHECKPOINT = f"file:/app/checkpoints/{JOB}/chk-2"


@pytest.fixture
def flink() -> FlinkAnswers:
    return FlinkAnswers()


@pytest.fixture
def run(flink: FlinkAnswers, cli: CliRunner) -> Iterator[Callable[..., Result]]:
    with flink_server(flink) as url:
        yield lambda command, *options: cli.invoke(main, ["flink", command, "--url", url, *options])


def test_a_job_that_runs_is_told_with_its_checkpoint_and_savepoint(run: Callable[..., Result]) -> None:
    result = run("status")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"job {JOB} (statefun) is running: 3 of 3 tasks run, started 2026-11-24 20:08:08 UTC",
        f"  checkpoints: 2 complete, 5 failed; the newest: {CHECKPOINT}, 8038 B in 57 ms, 2026-11-24 20:08:19 UTC",
        f"  savepoint: {PLACE}, 8038 B in 57 ms, 2026-11-24 20:08:19 UTC",
    ]


def test_the_root_cause_of_the_last_failure_is_told(run: Callable[..., Result], flink: FlinkAnswers) -> None:
    flink.has_jobs(overview("RESTARTING", running=0))
    flink.has_failed()
    result = run("status")
    assert result.exit_code == 1
    assert "is restarting: 0 of 3 tasks run" in result.stdout
    assert (
        "failed last at 2026-11-24 20:08:24 UTC: Failure forwarding a message to a remote function "
        "Address(shop, cart, ada) (IllegalStateException)"
    ) in result.stdout


def test_a_cluster_without_a_job_that_runs_is_exit_code_1(run: Callable[..., Result], flink: FlinkAnswers) -> None:
    flink.has_jobs()
    assert run("status").exit_code == 1
    flink.has_jobs(overview("FINISHED", running=0))
    assert run("status").exit_code == 1


def test_a_job_that_ended_does_not_spoil_one_that_runs(run: Callable[..., Result], flink: FlinkAnswers) -> None:
    flink.has_jobs(overview("FAILED", running=0, job=OTHER), overview())
    assert run("status").exit_code == 0
    assert run("status", "--job", OTHER).exit_code == 1


def test_status_as_json_is_a_list_of_jobs(run: Callable[..., Result]) -> None:
    (job,) = json.loads(run("status", "--json").stdout)
    assert (job["id"], job["state"], job["tasks"], job["running"]) == (JOB, "RUNNING", 3, 3)
    assert job["savepoint"] == {"at": 1795550899786, "path": PLACE, "size": 8038, "duration": 57}
    assert job["failure"] is None


def test_a_savepoint_is_waited_for_and_its_place_printed(run: Callable[..., Result], flink: FlinkAnswers) -> None:
    flink.in_progress = 2
    result = run("savepoint")
    assert (result.exit_code, result.stdout) == (0, f"{PLACE}\n")
    assert flink.asked == [
        (
            f"/jobs/{JOB}/savepoints",
            {"target-directory": None, "cancel-job": False, "formatType": "CANONICAL"},
        )
    ]


def test_a_stop_makes_a_savepoint_where_it_is_told(run: Callable[..., Result], flink: FlinkAnswers) -> None:
    result = run("stop", "--directory", "s3://shop/savepoints", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"job": JOB, "savepoint": PLACE}
    ((path, body),) = flink.asked
    assert path == f"/jobs/{JOB}/stop"
    assert len(body.pop("triggerId")) == 32
    assert body == {"targetDirectory": "s3://shop/savepoints", "drain": False, "formatType": "CANONICAL"}


def test_the_savepoint_of_a_cluster_that_is_gone_before_it_tells_is_found_on_this_machine(
    run: Callable[..., Result], flink: FlinkAnswers, tmp_path: Path
) -> None:
    flink.ends = True
    flink.leaves = (tmp_path / f"savepoint-{JOB[:6]}-2",)
    result = run("stop", "--directory", tmp_path.as_uri())
    assert (result.exit_code, result.stdout) == (0, f"file:{tmp_path}/savepoint-{JOB[:6]}-2\n")


def test_a_cluster_that_is_gone_before_it_tells_leaves_its_savepoint_where_it_makes_them(
    run: Callable[..., Result], flink: FlinkAnswers
) -> None:
    flink.ends = True
    result = run("stop")
    assert result.exit_code == 1
    assert "it should be the newest in file:/app/savepoints" in result.stderr


def test_a_savepoint_that_takes_too_long_is_an_error(run: Callable[..., Result], flink: FlinkAnswers) -> None:
    flink.in_progress = 1_000_000
    result = run("savepoint", "--timeout", "0.05")
    assert result.exit_code == 1
    assert "there is no savepoint after 0.05 s" in result.stderr
    assert "Flink goes on making it" in result.stderr


def test_a_savepoint_that_fails_is_told_by_its_cause(run: Callable[..., Result], flink: FlinkAnswers) -> None:
    flink.outcome = {
        "failure-cause": {
            "class": "java.util.concurrent.CompletionException",
            "stack-trace": "java.util.concurrent.CompletionException: x\n\tat a.b(C)\n"
            "Caused by: org.apache.flink.core.fs.UnsupportedFileSystemSchemeException: no file system for nofs\n",
        }
    }
    result = run("stop")
    assert result.exit_code == 1
    assert "no file system for nofs (UnsupportedFileSystemSchemeException)" in result.stderr


def test_a_job_that_does_not_run_as_a_whole_is_asked_for_no_savepoint(
    run: Callable[..., Result], flink: FlinkAnswers
) -> None:
    flink.has_jobs(overview("RESTARTING", running=1))
    flink.has_failed()
    result = run("stop")
    assert result.exit_code == 1
    assert "is restarting and 1 of its 3 tasks run" in result.stderr
    assert "Failure forwarding a message" in result.stderr
    assert flink.asked == []


def test_of_several_jobs_one_must_be_chosen(run: Callable[..., Result], flink: FlinkAnswers) -> None:
    flink.has_jobs(overview(), overview(job=OTHER))
    result = run("savepoint")
    assert result.exit_code == 1
    assert f"several jobs run; choose one by --job: {JOB} (running), {OTHER} (running)" in result.stderr
    assert run("savepoint", "--job", JOB).exit_code == 0


def test_a_job_that_is_not_there_is_an_error_that_lists_the_others(run: Callable[..., Result]) -> None:
    result = run("savepoint", "--job", OTHER)
    assert result.exit_code == 1
    assert f"there is no job {OTHER}; there are: {JOB} (running)" in result.stderr


def test_what_flink_refuses_is_told_in_its_words(run: Callable[..., Result], flink: FlinkAnswers) -> None:
    del flink.answers["POST", f"/jobs/{JOB}/savepoints"]
    result = run("savepoint")
    assert result.exit_code == 1
    assert f"/jobs/{JOB}/savepoints answers 404: /jobs/{JOB}/savepoints not found (NotFoundException)" in result.stderr


def test_an_address_where_nobody_answers_is_exit_code_4(cli: CliRunner) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = cli.invoke(main, ["flink", "status", "--url", f"http://127.0.0.1:{taken.getsockname()[1]}"])
    assert result.exit_code == ExitCode.UNREACHABLE
    assert "nobody answers at http://127.0.0.1:" in result.stderr
