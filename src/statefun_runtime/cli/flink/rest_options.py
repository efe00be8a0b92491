"""What the commands that ask a Flink somewhere have in common."""

from collections.abc import Callable
from typing import TypeVar

import click

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.job_status import JobStatus, choose_job, job_statuses
from statefun_runtime.flink.rest import FlinkRest
from statefun_runtime.flink.waiting import Patience, wait_for_savepoint

F = TypeVar("F", bound=Callable[..., object])

url_option = click.option(
    "--url",
    default="http://127.0.0.1:8081",
    show_default=True,
    help="Flink's REST interface.",
)
job_option = click.option("--job", metavar="ID", help="Of this job, where several run.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_directory_option = click.option(
    "--directory",
    metavar="URI",
    help="Where to make it; by default where Flink is configured to (state.savepoints.dir).",
)
_timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the savepoint.",
)


def savepoint_options(command: F) -> F:
    """The options of a command that makes a savepoint of a job."""
    for option in (json_option, _timeout_option, _directory_option, job_option, url_option):
        command = option(command)
    return command


def running_job(rest: FlinkRest, wanted: str | None) -> JobStatus:
    """The job to make a savepoint of.

    Raises:
        FlinkError: There is none, or it does not run as a whole, without which Flink makes no savepoint.
    """
    job = choose_job(job_statuses(rest), wanted)
    if not job.runs:
        why = f"; it failed last by: {job.failure}" if job.failure else ""
        raise FlinkError(
            f"job {job.id} is {job.state.lower()} and {job.running} of its {job.tasks} tasks run: Flink makes a "
            f"savepoint only while all run{why}"
        )
    return job


def wait(rest: FlinkRest, job: JobStatus, request: str, timeout: float) -> str:
    """Where the savepoint lies; tells on stderr while it is not there yet."""
    return wait_for_savepoint(rest, job.id, request, Patience(timeout), lambda text: click.echo(text, err=True))
