"""`statefun flink status`: what becomes of a job, wherever it runs."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

import click

from statefun_runtime.cli.failure import Command, ExitCode
from statefun_runtime.cli.flink.rest_options import job_option, json_option, url_option
from statefun_runtime.flink.job_status import ENDED, JobStatus, Snapshot, choose_job, job_statuses
from statefun_runtime.flink.rest import FlinkRest
from statefun_runtime.units import format_duration, format_size


@click.command(cls=Command)
@url_option
@job_option
@json_option
def status(url: str, job: str | None, as_json: bool) -> None:
    """Show whether the application runs on Flink, why it failed last, and its newest checkpoint and savepoint.

    The exit code is 0 if a job runs with all its tasks, and every other one has ended.

    \b
    Example:
      statefun flink status --url http://flink:8081
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    jobs = job_statuses(FlinkRest(url))
    if job is not None:
        jobs = [choose_job(jobs, job)]
    if as_json:
        click.echo(json.dumps([asdict(job) for job in jobs], indent=2, ensure_ascii=False))
    elif jobs:
        click.echo("\n".join(line for job in jobs for line in _lines(job)))
    else:
        click.echo("there is no job", err=True)
    live = [job for job in jobs if job.state not in ENDED]
    if not live or not all(job.runs for job in live):
        raise click.exceptions.Exit(ExitCode.FAILED)


def _lines(job: JobStatus) -> Iterator[str]:
    yield (
        f"job {job.id} ({job.name}) is {job.state.lower()}: {job.running} of {job.tasks} tasks run, "
        f"started {_moment(job.started)}"
    )
    if job.failure is not None and job.failed_at is not None:
        yield f"  failed last at {_moment(job.failed_at)}: {job.failure}"
    yield f"  checkpoints: {job.checkpoints} complete, {job.failed_checkpoints} failed{_newest(job.checkpoint)}"
    yield f"  savepoint: {'none since the start' if job.savepoint is None else _described(job.savepoint)}"


def _newest(snapshot: Snapshot | None) -> str:
    return "" if snapshot is None else f"; the newest: {_described(snapshot)}"


def _described(snapshot: Snapshot) -> str:
    took = format_duration(snapshot.duration)
    return f"{snapshot.path}, {format_size(snapshot.size)} in {took}, {_moment(snapshot.at)}"


def _moment(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
