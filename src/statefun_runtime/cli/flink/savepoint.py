"""`statefun flink savepoint`: a copy of a job's state, while it runs."""

import json

import click

from statefun_runtime.cli.failure import Command
from statefun_runtime.cli.flink.rest_options import running_job, savepoint_options, wait
from statefun_runtime.flink.rest import FlinkRest


@click.command(cls=Command)
@savepoint_options
def savepoint(url: str, job: str | None, directory: str | None, timeout: float, as_json: bool) -> None:
    """Make a savepoint of a job, which goes on meanwhile; print where it lies.

    It has Flink's canonical format, which `statefun flink export` reads and other versions of Flink restore.

    \b
    Example:
      statefun flink savepoint --url http://flink:8081
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    rest = FlinkRest(url)
    found = running_job(rest, job)
    place = wait(rest, found, rest.savepoint(found.id, directory), timeout)
    click.echo(json.dumps({"job": found.id, "savepoint": place}) if as_json else place)
