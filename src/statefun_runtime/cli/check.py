"""`statefun check`: everything that is wrong with an application's module files, at once."""

import json
from pathlib import Path

import click

from statefun_runtime.cli.application import read_modules, unserved_targets
from statefun_runtime.cli.failure import Command, ExitCode
from statefun_runtime.cli.loading import load_functions
from statefun_runtime.module.kafka_check import unsaid_starts
from statefun_runtime.module.problem import Problem, Severity


@click.command(cls=Command)
@click.argument("files", metavar="MODULE.yaml...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--functions", metavar="MODULE:NAME", help="Check that these functions or an endpoint serve every target."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Lines for people, or a JSON list of all problems and notes.",
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
def check(files: tuple[Path, ...], functions: str | None, form: str, strict: bool) -> None:
    """Find everything that is wrong with module files.

    Nothing is run. Each problem is told as file:line:column, with the path in the document and the nearest known
    name. A note says what applies though the files do not say it. A later file may overlay documents of the earlier
    ones. The exit code is 1 if there is an error, or with --strict a warning.

    \b
    Example:
      statefun check module.yaml local.yaml --functions app:functions
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    result = read_modules(files)
    problems = [*result.problems, *unsaid_starts(result.module)]
    if functions is not None:
        problems += unserved_targets(result.module, {spec.typename for spec in load_functions(functions)})
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = sum(problem.severity is Severity.WARNING for problem in problems)
    if form == "json":
        click.echo(json.dumps([_as_json(problem) for problem in problems], indent=2, ensure_ascii=False))
    else:
        for problem in problems:
            click.echo(str(problem))
        click.echo(_summary(len(files), errors, warnings), err=bool(problems))
    if errors or (strict and warnings):
        raise click.exceptions.Exit(ExitCode.FAILED)


def _as_json(problem: Problem) -> dict[str, object]:
    return {
        "severity": problem.severity.value,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }


def _summary(files: int, errors: int, warnings: int) -> str:
    if not errors and not warnings:
        return f"{_count(files, 'file')}: no problems"
    return f"{_count(files, 'file')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
