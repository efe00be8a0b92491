"""`statefun flink local`: the application on a real Apache Flink of this machine."""

import os
import signal
import socket
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any, NamedTuple

import click

from statefun_runtime.cli.application import read_modules
from statefun_runtime.cli.failure import Command, CommandError
from statefun_runtime.cli.flink.cache_options import cache_options
from statefun_runtime.cli.flink.interval_option import checkpoint_interval_option
from statefun_runtime.cli.loading import load_functions
from statefun_runtime.cli.stopping import SIGNALS
from statefun_runtime.flink.archives import LOCAL
from statefun_runtime.flink.configuration import JobSettings, StateBackend, cluster_configuration, local_configuration
from statefun_runtime.flink.flink_process import FlinkProcess, Home, cluster, mini_cluster
from statefun_runtime.flink.function_servers import FunctionServers
from statefun_runtime.flink.java_classes import LOCAL_SOURCE, compiled
from statefun_runtime.flink.local import LocalFlink
from statefun_runtime.flink.maven import Cache
from statefun_runtime.flink.module_file import KINDS, as_yaml, with_hosted
from statefun_runtime.module.declaration import Declaration


class JobOptions(NamedTuple):
    """The options that say how the job runs."""

    parallelism: int
    checkpoint_interval: int
    state_backend: StateBackend
    from_savepoint: str | None
    cluster: bool
    task_managers: int | None


def _savepoint(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """The URI of a savepoint, which is one already or a path."""
    if value is None or "://" in value:
        return value
    path = Path(value).resolve()
    if not path.exists():
        raise click.BadParameter(f"there is no {path}", context, parameter)
    return path.as_uri()


@click.command(cls=Command)
@click.argument("files", metavar="MODULE.yaml...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--functions", metavar="APP:FUNCTIONS", help="Functions to serve here; they win over endpoints.")
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=max(1, (os.cpu_count() or 1) // 2),
    help="Processes that serve the functions; half as many as there are cores by default.",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=Path("flink"),
    show_default=True,
    help="Directory of configuration, log, checkpoints and savepoints; made if missing.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="Flink's web page and REST."
)
@click.option(
    "--parallelism", type=click.IntRange(min=1), default=1, show_default=True, help="Parallel parts of the job."
)
@checkpoint_interval_option("1 s")
@click.option(
    "--state-backend",
    type=click.Choice(["hashmap", "rocksdb"]),
    default="hashmap",
    show_default=True,
    help="Where Flink keeps state: in memory, or in RocksDB.",
)
@click.option("--cluster", is_flag=True, help="A JobManager and TaskManagers in processes of their own.")
@click.option(
    "--task-managers",
    type=click.IntRange(min=1),
    help="TaskManagers of --cluster, which share the parallel parts; by default one for each part.",
)
@click.option("--from-savepoint", metavar="PATH", callback=_savepoint, help="Begin from a savepoint or a checkpoint.")
@cache_options
def local(
    files: tuple[Path, ...], functions: str | None, processes: int, home: Path, port: int, cache: Cache, **job: Any
) -> None:
    """Run an application on a real Apache Flink of this machine, until Ctrl-C.

    Flink Stateful Functions 3.3 comes from Maven Central once (200 MB) and runs in one process of Java, which comes
    with the extra `flink`. The functions are served by processes of their own, and Flink calls them over HTTP.

    The first Ctrl-C (or SIGTERM) stops the job with a savepoint and says where it is; the second one stops at once.

    \b
    Examples:
      statefun flink local module.yaml --functions app:functions
      statefun flink local module.yaml --functions app:functions --from-savepoint flink/savepoints/savepoint-8e6b3d
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    place, rest_port, options = Home(home), port or _free_port(), JobOptions(**job)
    if options.task_managers and not options.cluster:
        raise click.UsageError("--task-managers needs --cluster")
    hosted = _Hosted(functions, processes) if functions is not None else None
    declarations = _declarations(files)
    jars = cache.jars(LOCAL)
    extension = compiled(LOCAL_SOURCE, jars, cache)
    with _stop_on_signals() as stop, ExitStack() as running:
        servers = hosted.start(running) if hosted is not None else None
        module = with_hosted(declarations, hosted.typenames, servers.url) if hosted and servers else declarations
        settings = _settings(place, options)
        if options.cluster:
            task_managers = options.task_managers or options.parallelism
            configuration = cluster_configuration(settings, rest_port, _free_port(), task_managers)
            starting = cluster(place, jars, extension, task_managers)
        else:
            configuration = local_configuration(settings, rest_port)
            starting = mini_cluster(place, jars, extension)
        place.write(as_yaml(module), configuration)
        flink: list[FlinkProcess] = []
        for started in starting:
            running.callback(started.stop)
            click.echo(f"starting Apache Flink; the log of {started.name} is {started.log}")
            flink.append(started)
        LocalFlink(place, f"http://127.0.0.1:{rest_port}", flink, servers, click.echo).run(stop)


class _Hosted:
    """Functions that this command serves."""

    def __init__(self, reference: str, processes: int) -> None:
        self.typenames = [spec.typename for spec in load_functions(reference)]
        self._reference = reference
        self._processes = processes

    def start(self, running: ExitStack) -> FunctionServers:
        servers = FunctionServers(self._reference, self._processes)
        running.callback(servers.stop)
        click.echo(f"serving {', '.join(self.typenames)} at {servers.url} in {self._processes} process(es)")
        return servers


def _declarations(files: Sequence[Path]) -> tuple[Declaration, ...]:
    """What the module files declare, all of it known to Flink."""
    result = read_modules(files)
    result.require()
    foreign = [declared for declared in result.declarations if declared.kind not in KINDS]
    if foreign:
        listed = "\n".join(f"{declared.position}: {declared.kind}" for declared in foreign)
        raise CommandError(f"Flink does not know these kinds; leave their file out, or use Kafka:\n{listed}")
    for problem in result.warnings:
        click.echo(str(problem), err=True)
    return result.declarations


def _settings(home: Home, options: JobOptions) -> JobSettings:
    return JobSettings(
        module=home.module.as_uri(),
        checkpoints=home.checkpoints.as_uri(),
        savepoints=home.savepoints.as_uri(),
        parallelism=options.parallelism,
        checkpoint_interval=options.checkpoint_interval,
        state_backend=options.state_backend,
        from_savepoint=options.from_savepoint,
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _stop_on_signals() -> Generator[Event]:
    """An event that the first SIGINT or SIGTERM sets; the second is a KeyboardInterrupt."""
    stop = Event()

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the form of a signal handler
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
