"""`statefun savepoint`: consistent copies of an application's data."""

import json
import os
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from statefun_runtime.cli.data_option import data_option, source_option
from statefun_runtime.cli.failure import Command, CommandError
from statefun_runtime.cli.listing import print_rows
from statefun_runtime.cli.live import LiveRuntime
from statefun_runtime.errors import StoreLockedError
from statefun_runtime.interfaces import Table
from statefun_runtime.maintenance import SAVEPOINTS
from statefun_runtime.store.data_directory import check_format
from statefun_runtime.store.portable import export_lines, import_lines
from statefun_runtime.store.restore import EgressFiles, restore_savepoint
from statefun_runtime.store.rocksdb import RocksDBStore
from statefun_runtime.store.savepoint import (
    Savepoint,
    check_savepoint,
    count_rows,
    data_of,
    default_name,
    delete_savepoint,
    list_savepoints,
    locate,
    take_savepoint,
)
from statefun_runtime.units import format_size

_KINDS = MappingProxyType(
    {
        Table.STATE: "addresses with state",
        Table.MAILBOX: "messages",
        Table.DELAYED: "delayed messages",
        Table.PARKED: "parked addresses",
        Table.DEAD_LETTERS: "dead letters",
        Table.POSITIONS: "ingress positions",
        Table.OUTBOX: "epochs in the outbox",
        Table.SINKS: "egress positions",
        Table.SPECS: "declared functions",
        Table.JOURNAL: "journal entries",
    }
)

timeout_option = click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a live runtime to make a savepoint.",
)
target_option = click.option(
    "--data",
    "target",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The data directory to make; new or empty.",
)
egress_files_option = click.option(
    "--egress-files",
    type=click.Choice([choice.value for choice in EgressFiles]),
    default=EgressFiles.CHECK.value,
    show_default=True,
    help="What to do with files of egresses that have grown since: refuse them at the start, cut them, or begin anew.",
)


@click.group()
def savepoint() -> None:
    """Copy an application's data consistently, and go on from a copy.

    A savepoint is what was durable after one epoch: states, messages, delayed messages, positions, everything. It is
    kept in the data directory under savepoints/ and takes little room at first, since its tables are hard links.
    """


@savepoint.command("create", cls=Command)
@click.argument("name", required=False)
@data_option
@click.option("--json", "as_json", is_flag=True, help="Print its description as JSON.")
@timeout_option
def create(name: str | None, data: Path, as_json: bool, timeout: float) -> None:
    """Make a savepoint of a live or stopped application.

    A live one goes on meanwhile; everything that it acknowledged before is in the savepoint. NAME is the time by
    default.

    \b
    Example:
      statefun savepoint create before-upgrade
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    made = take(data, name or default_name(), timeout)
    click.echo(made.model_dump_json() if as_json else _line(made))


def take(data: Path, name: str, timeout: float) -> Savepoint:
    """Make a savepoint, by the process that runs on the data directory if there is one."""
    check_format(data)  # what is no data directory must not become one
    try:
        with closing(RocksDBStore(data, lock_timeout=0)) as store:
            return take_savepoint(data, name, store.checkpoint)
    except StoreLockedError as locked:
        return Savepoint.model_validate(LiveRuntime(data, locked).act(SAVEPOINTS, {"name": name}, timeout))


@savepoint.command("list", cls=Command)
@data_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_all(data: Path, as_json: bool) -> None:
    """List the savepoints of a data directory.

    \b
    Example:
      statefun savepoint list
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    print_rows(list_savepoints(data), _line, _without_files, as_json=as_json, empty="there are no savepoints")


@savepoint.command("inspect", cls=Command)
@click.argument("name")
@data_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def inspect(name: str, data: Path, as_json: bool) -> None:
    """Check a savepoint and count what is in it.

    Every file is read and compared with its checksum. NAME may be the path of a savepoint (with a slash in it).

    \b
    Example:
      statefun savepoint inspect before-upgrade
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    path = locate(data, name)
    checked = check_savepoint(path)
    with closing(RocksDBStore(data_of(path), read_only=True)) as store:
        counts = {table.value: count for table, count in count_rows(store).items()}
    if as_json:
        click.echo(json.dumps({**_without_files(checked), "rows": counts}))
        return
    click.echo(_line(checked))
    click.echo(f"lineage {checked.lineage}, made by statefun {checked.statefun}, {len(checked.files)} files, all whole")
    _print_counts((_KINDS.get(Table(table), table), count) for table, count in counts.items())


@savepoint.command("restore", cls=Command)
@click.argument("name")
@target_option
@source_option
@egress_files_option
def restore(name: str, target: Path, data: Path, egress_files: str) -> None:
    """Make a new data directory from a savepoint.

    The savepoint is checked first, and stays as it is. The new directory begins a lineage of its own: run the
    application on it, and no more on the old one. NAME may be the path of a savepoint (with a slash in it).

    \b
    Example:
      statefun savepoint restore before-upgrade --data restored-data
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    restored = restore_savepoint(locate(data, name), target, EgressFiles(egress_files))
    click.echo(f"{target} holds epoch {restored.epoch} of {restored.name}; run on it with --data {target}")


@savepoint.command("export", cls=Command)
@click.argument("file", metavar="FILE.jsonl", type=click.Path(path_type=Path, dir_okay=False))
@data_option
@click.option("--savepoint", "name", metavar="NAME", help="Export this savepoint, by name or path.")
@timeout_option
def export(file: Path, data: Path, name: str | None, timeout: float) -> None:
    """Write everything that an application has as JSON Lines, values decoded where their type is known.

    Without --savepoint it is what is durable now: a savepoint is made for it, and deleted afterwards. FILE must not
    exist; it is there as a whole or not at all.

    \b
    Example:
      statefun savepoint export shop.jsonl
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    made = None if name is not None else take(data, f"export-{default_name()}", timeout).name
    path = locate(data, name or made or "")
    try:
        check_savepoint(path)
        with closing(RocksDBStore(data_of(path), read_only=True)) as store:
            lines = write_file(file, export_lines(store))
    finally:
        if made is not None:
            delete_savepoint(path)
    click.echo(f"{file} has {lines} lines")


@savepoint.command("import", cls=Command)
@click.argument("file", metavar="FILE.jsonl", type=click.Path(path_type=Path, dir_okay=False))
@target_option
@egress_files_option
def import_(file: Path, target: Path, egress_files: str) -> None:
    """Make a new data directory from an export. As after a restore, it begins a lineage of its own.

    \b
    Example:
      statefun savepoint import shop.jsonl --data imported-data
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    try:
        with file.open("rb") as source:
            header = import_lines(source, str(file), target, EgressFiles(egress_files))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from error
    click.echo(f"{target} holds epoch {header.epoch} of {file}; run on it with --data {target}")


@savepoint.command("delete", cls=Command)
@click.argument("name")
@data_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(name: str, data: Path, yes: bool) -> None:
    """Delete a savepoint for good. Data directories that were restored from it stay.

    \b
    Example:
      statefun savepoint delete before-upgrade
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    path = locate(data, name)
    if not yes:
        click.confirm(f"Delete the savepoint {path}?", abort=True)
    delete_savepoint(path)
    click.echo(f"{path} is deleted")


def _line(savepoint: Savepoint) -> str:
    created = savepoint.created_at.isoformat(timespec="seconds")
    return f"{savepoint.name}  epoch {savepoint.epoch}  created {created}  {format_size(savepoint.size)}"


def _without_files(savepoint: Savepoint) -> dict[str, Any]:
    return {**savepoint.model_dump(mode="json", exclude={"files"}), "size": savepoint.size}


def _print_counts(counts: Iterable[tuple[str, int]]) -> None:
    for kind, count in counts:
        click.echo(f"{count:>12}  {kind}")


def write_file(file: Path, lines: Iterable[bytes]) -> int:
    """Make a file of these lines, as a whole or not at all; return how many they are. Raises CommandError."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    if file.exists():
        raise CommandError(f"{file} exists already; name another file")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            count = 0
            for line in lines:
                out.write(line)
                count += 1
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(file)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
    return count
