"""`statefun flink export` and `import`: the state of an application from Flink to this runtime, and back."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

from statefun_runtime.cli.failure import Command, CommandError
from statefun_runtime.cli.flink.cache_options import cache_options
from statefun_runtime.cli.loading import load_functions
from statefun_runtime.cli.savepoint import write_file
from statefun_runtime.clock import SystemClock
from statefun_runtime.endpoint.inprocess import declared_states
from statefun_runtime.flink.maven import Cache
from statefun_runtime.flink.state_bridge import MAX_PARALLELISM, read_savepoint, write_savepoint
from statefun_runtime.flink.state_export import StateExport
from statefun_runtime.flink.state_import import StateImport
from statefun_runtime.interfaces import StateSpec
from statefun_runtime.store.portable import line_bytes, read_rows
from statefun_runtime.store.portable_lines import Delayed

functions_option = click.option(
    "--functions",
    "reference",
    metavar="MODULE:NAME",
    help="The application's functions, for what is not in the file: which states expire, and after how long.",
)
leave_delayed_option = click.option(
    "--leave-delayed",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Leave delayed messages out and write them to this file as JSON Lines; without it they are refused.",
)


@click.command("export", cls=Command)
@click.argument("savepoint", type=click.Path(path_type=Path, exists=True))
@click.argument("file", metavar="FILE.jsonl", type=click.Path(path_type=Path, dir_okay=False))
@functions_option
@leave_delayed_option
@cache_options
def export(savepoint: Path, file: Path, reference: str | None, leave_delayed: Path | None, cache: Cache) -> None:
    """Write the state in a savepoint of Flink as an export, which `statefun savepoint import` reads.

    SAVEPOINT is the directory of a savepoint in the canonical format, made by Flink Stateful Functions 3.x with no
    message on its way. FILE must not exist; it is there as a whole or not at all.

    \b
    Example:
      statefun flink export savepoint-4d9aa5 shop.jsonl
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    _check_new(leave_delayed)
    exported = StateExport(_declared(reference), SystemClock().wall(), leave_delayed=leave_delayed is not None)
    write_file(file, exported.lines(read_savepoint(savepoint, cache)))
    _write_delayed(leave_delayed, exported.delayed)
    click.echo(f"{file} has {exported.values} values; make a data directory of it with statefun savepoint import")


@click.command("import", cls=Command)
@click.argument("file", metavar="FILE.jsonl", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.argument("savepoint", type=click.Path(path_type=Path, file_okay=False))
@functions_option
@leave_delayed_option
@click.option(
    "--max-parallelism",
    type=click.IntRange(min=1, max=32768),
    default=MAX_PARALLELISM,
    show_default=True,
    help="How many subtasks of functions a job on it has at most, for good.",
)
@cache_options
def import_(
    file: Path, savepoint: Path, reference: str | None, leave_delayed: Path | None, max_parallelism: int, cache: Cache
) -> None:
    """Make a savepoint of Flink from the file of `statefun savepoint export`.

    SAVEPOINT is the directory to make, new or empty. Flink Stateful Functions 3.3 starts on it with
    execution.savepoint.path. Messages that wait are refused: drain the application before.

    \b
    Example:
      statefun flink import shop.jsonl savepoint-shop
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    _check_new(leave_delayed)
    imported = StateImport(_declared(reference), leave_delayed=leave_delayed is not None)
    with file.open("rb") as source:
        write_savepoint(imported.lines(read_rows(source, str(file))), savepoint, max_parallelism, cache)
    _write_delayed(leave_delayed, imported.delayed)
    click.echo(f"{savepoint} has {imported.values} values; start Flink with execution.savepoint.path: {savepoint}")
    if imported.left:
        click.echo(f"not in it: {imported.left}")
    for position in imported.positions:
        click.echo(f"  {position}")


def _declared(reference: str | None) -> Mapping[str, Sequence[StateSpec]]:
    return {} if reference is None else dict(declared_states(load_functions(reference)))


def _check_new(file: Path | None) -> None:
    if file is not None and file.exists():
        raise CommandError(f"{file} exists already; name another file")


def _write_delayed(file: Path | None, delayed: Iterable[Delayed]) -> None:
    if file is not None:
        count = write_file(file, map(line_bytes, delayed))
        click.echo(f"{file} has {count} delayed messages, which nobody sends any more")
