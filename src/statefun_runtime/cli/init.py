"""`statefun init`: a project that runs and has a passing test."""

from pathlib import Path

import click

from statefun_runtime.cli.failure import Command, CommandError
from statefun_runtime.cli.project import check_name, write_project

_NEXT = """\
Made {directory} with {files}.

Next:
  cd {directory}
  python -m pytest                                     the test passes
  statefun run module.yaml --functions app:functions   the application runs; stop it with Ctrl-C
  statefun send {name}/greeter/ada '{{"greeting": "Hello"}}' --type {name}/Greet
  statefun state list                                  how often each person was greeted

README.md says what each file is for."""


@click.command(cls=Command)
@click.argument("directory", metavar="NAME", type=click.Path(path_type=Path, file_okay=False))
def init(directory: Path) -> None:
    """Make a project that runs and has a passing test.

    NAME is the directory to make; its last part names the project.

    \b
    Example:
      statefun init shop
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    name = directory.resolve().name
    try:
        check_name(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from error
    try:
        written = write_project(directory, name)
    except FileExistsError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{directory} cannot be written: {error.strerror}") from error
    click.echo(_NEXT.format(directory=directory, files=", ".join(written), name=name))
