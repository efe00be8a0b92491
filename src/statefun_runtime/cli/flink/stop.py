"""`statefun flink stop`: end a job with a savepoint, from which it can go on."""

import json
from uuid import uuid4

import click

from statefun_runtime.cli.failure import Command
from statefun_runtime.cli.flink.rest_options import running_job, savepoint_options, wait
from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.rest import FlinkRest, NoAnswerError
from statefun_runtime.flink.savepoint_directory import SavepointDirectory


@click.command(cls=Command)
@savepoint_options
def stop(url: str, job: str | None, directory: str | None, timeout: float, as_json: bool) -> None:
    """Stop a job with a savepoint; print where it lies.

    The job ends only when the savepoint is complete: if it cannot be made, the job goes on. A cluster that was started
    for this job ends with it.

    \b
    Example:
      statefun flink stop --url http://flink:8081
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    rest = FlinkRest(url)
    found = running_job(rest, job)
    where = directory or rest.savepoint_directory()
    click.echo(f"stopping job {found.id} with a savepoint", err=True)
    savepoints, request = SavepointDirectory(where, found.id), uuid4().hex
    rest.stop(found.id, directory, request)
    try:
        place = wait(rest, found, request, timeout)
    except NoAnswerError as error:
        # A cluster of one job may be gone before it is asked again; it ends only when the savepoint is whole.
        made = savepoints.made()
        if made is None:
            raise FlinkError(
                f"Flink ended before it said where the savepoint lies; it should be the newest in {where}: {error}"
            ) from error
        place = f"file:{made}"
    click.echo(json.dumps({"job": found.id, "savepoint": place}) if as_json else place)
