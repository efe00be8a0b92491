"""`statefun flink check`: what of an application Flink would refuse or do differently."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from statefun import StatefulFunctions
from statefun_runtime.cli.application import unserved_targets
from statefun_runtime.cli.failure import Command, ExitCode
from statefun_runtime.cli.loading import load_functions
from statefun_runtime.config import find_config_file
from statefun_runtime.flink.difference import Difference, Effect, refused
from statefun_runtime.flink.function_differences import code_differences, function_differences
from statefun_runtime.flink.module_differences import alias_differences, module_differences, wrong_for_flink
from statefun_runtime.flink.settings_differences import settings_differences
from statefun_runtime.module.loader import LoadResult, load_modules
from statefun_runtime.module.problem import Problem

_HTTP_INGRESS = "io.statefun.playground.v1/ingress"


@click.command(cls=Command)
@click.argument("file", metavar="MODULE.yaml", type=click.Path(path_type=Path))
@click.option("--functions", metavar="MODULE:NAME", help="Look into these functions and their code as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as a JSON list.")
@click.option("--strict", is_flag=True, help="Fail on what is only different, too.")
def check(file: Path, functions: str | None, as_json: bool, strict: bool) -> None:
    """Find what of an application Flink Stateful Functions would refuse or do differently.

    Nothing is run, no Java is needed. Each difference is told with its place and what to do instead: those of the
    module file, those of the failure policies in statefun.toml of the working directory, and with --functions those of
    the functions and of the code that was imported from the working directory. The exit code is 1 if something is
    refused, or with --strict if anything is different.

    \b
    Example:
      statefun flink check module.yaml --functions app:functions
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    found = list(find_differences(file, functions))
    if as_json:
        click.echo(json.dumps([_as_json(difference) for difference in found], indent=2, ensure_ascii=False))
    else:
        for difference in found:
            click.echo(str(difference))
        click.echo(_summary(found), err=True)
    if any(difference.effect is Effect.REFUSED or strict for difference in found):
        raise click.exceptions.Exit(ExitCode.FAILED)


def find_differences(file: Path, functions: str | None) -> Iterator[Difference]:
    """All differences of an application, in the order of module file, settings, functions and code."""
    loaded = load_modules([file], as_written=True)
    yield from _of_module(file, loaded)
    config = find_config_file(Path.cwd())
    if config is not None:
        yield from settings_differences(config)
    if functions is not None:
        hosted = load_functions(functions)
        yield from function_differences(hosted, loaded.module)
        replies = any(declared.kind == _HTTP_INGRESS for declared in loaded.declarations)
        yield from code_differences(_own_files(hosted), awaits_replies=replies)


def _of_module(file: Path, loaded: LoadResult) -> Iterator[Difference]:
    for problem in wrong_for_flink(loaded):
        yield _as_difference(problem, "correct it; `statefun check` shows the same")
    if loaded.declarations:
        yield from alias_differences(file.read_text(encoding="utf-8-sig"), str(file))
    yield from module_differences(loaded.declarations)
    for problem in unserved_targets(loaded.module, ()):
        yield _as_difference(problem, "an endpoint for it; `statefun flink deploy --functions` writes one")


def _as_difference(problem: Problem, alternative: str) -> Difference:
    return refused(problem.position, problem.path, problem.message, alternative)


def _own_files(functions: StatefulFunctions) -> list[Path]:
    """The files of the functions, and the modules that were imported from the working directory."""
    files = {Path(spec.location.rpartition(":")[0]) for spec in functions}
    here, installed = Path.cwd(), Path(sys.prefix)
    for module in tuple(sys.modules.values()):
        name = getattr(module, "__file__", None)
        if name is not None and Path(name).is_relative_to(here) and not Path(name).is_relative_to(installed):
            files.add(Path(name))
    return sorted(file for file in files if file.suffix == ".py")


def _as_json(difference: Difference) -> dict[str, object]:
    return {
        "effect": difference.effect.value,
        "file": difference.position.file,
        "line": difference.position.line,
        "column": difference.position.column,
        "path": difference.path,
        "message": difference.message,
        "alternative": difference.alternative,
    }


def _summary(found: list[Difference]) -> str:
    refusals = sum(difference.effect is Effect.REFUSED for difference in found)
    return f"{refusals} refused by Flink, {len(found) - refusals} different there"
