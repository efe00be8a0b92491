"""`statefun flink deploy`: the files with which an application runs on Flink in containers."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from statefun_runtime.cli.failure import Command, CommandError
from statefun_runtime.cli.flink.interval_option import checkpoint_interval_option
from statefun_runtime.cli.loading import load_functions
from statefun_runtime.flink.deployment import Deployment, Target, deployment_files, functions_url
from statefun_runtime.flink.difference import Effect
from statefun_runtime.flink.module_differences import module_differences, secret_places, wrong_for_flink
from statefun_runtime.flink.module_file import as_yaml, with_hosted
from statefun_runtime.module.declaration import Declaration
from statefun_runtime.module.loader import load_modules


@click.command(cls=Command)
@click.argument("files", metavar="MODULE.yaml...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--functions", metavar="APP:FUNCTIONS", help="Functions to deploy, too; they win over endpoints.")
@click.option("--target", type=click.Choice(["docker", "kubernetes"]), required=True, help="What runs the containers.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Directory to write to.")
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.option("--name", help="Name of the deployment; by default that of the working directory.")
@click.option(
    "--flink", type=click.Choice(["1.16", "2.2"]), default="1.16", show_default=True, help="Version of Flink."
)
@click.option("--base-image", metavar="IMAGE", help="Image of Flink with Stateful Functions to build on.")
@click.option("--parallelism", type=click.IntRange(min=1), default=1, show_default=True, help="TaskManagers.")
@checkpoint_interval_option("10 s")
@click.option("--storage", metavar="URI", help="Directory of checkpoints and savepoints; a volume by default.")
def deploy(
    files: tuple[Path, ...], functions: str | None, target: Target, out: Path, force: bool, **options: Any
) -> None:
    """Write the files with which an application runs on Flink, with Docker Compose or on Kubernetes.

    They are small and yours to change: container files, the module file, Flink's configuration (the one that `statefun
    flink local` has), for Kubernetes a FlinkDeployment with what it needs, and a README that says how to apply, upgrade
    and roll back. What a cluster would refuse is an error, and so is a secret in the module file.

    \b
    Example:
      statefun flink deploy module.yaml --functions app:functions --target kubernetes --out deploy
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    name = options.pop("name") or _name_of(Path.cwd())
    declarations = _declarations(files)
    if functions is not None:
        typenames = [spec.typename for spec in load_functions(functions)]
        declarations = with_hosted(declarations, typenames, functions_url(name, target))
    _refuse(declarations)
    try:
        deployment = Deployment(
            name=name,
            target=target,
            functions=functions,
            module=as_yaml(declarations),
            application=os.path.relpath(Path.cwd(), out),
            out=os.path.relpath(out, Path.cwd()),
            requirements=Path("requirements.txt").is_file(),
            **options,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    for file in _write(out, deployment_files(deployment), force):
        click.echo(str(file))
    click.echo(f"{out / 'README.md'} says what to do with them", err=True)


def _name_of(directory: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", directory.name.lower()).strip("-") or "application"


def _declarations(files: Sequence[Path]) -> list[Declaration]:
    """What the files declare, secrets left as they stand. Raises CommandError if something is wrong with them."""
    loaded = load_modules(files, as_written=True)
    wrong = wrong_for_flink(loaded)
    if wrong:
        raise CommandError("\n".join(str(problem) for problem in wrong))
    return list(loaded.declarations)


def _refuse(declarations: Sequence[Declaration]) -> None:
    """Raise what keeps these declarations from being deployed."""
    lines = [str(found) for found in module_differences(declarations) if found.effect is Effect.REFUSED]
    lines += [
        f"{place}: {path}: a secret is not written to the files of a deployment; let it come from the surroundings (a "
        "role of the service account), or make the module file a Secret as docs/howto/flink.md says"
        for place, path in secret_places(declarations)
    ]
    if lines:
        raise CommandError("\n".join(lines))


def _write(out: Path, texts: dict[str, str], force: bool) -> Iterator[Path]:
    there = [name for name in texts if (out / name).exists()]
    if there and not force:
        raise CommandError(f"{out} has {', '.join(there)} already; choose another directory, or overwrite with --force")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (out / name).write_text(text, encoding="utf-8")
            yield out / name
    except OSError as error:
        raise CommandError(f"{out} cannot be written: {error.strerror}") from error
