"""Lists rows for people, one a line, or for programs, one JSON object a line."""

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import TypeVar

import click

Row = TypeVar("Row")

limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    metavar="COUNT",
    help="Show at most so many.",
)


def print_rows(
    rows: Iterable[Row],
    as_text: Callable[[Row], str],
    as_object: Callable[[Row], Mapping[str, object]],
    *,
    as_json: bool,
    empty: str,
    limit: int | None = None,
) -> None:
    """Print each row as it comes, at most `limit` of them.

    `empty` says that there are none, to people alone: a program sees it. That there are more than `limit` is told to
    both, beside the output.
    """
    left = iter(rows)
    found = False
    for row in islice(left, limit):
        found = True
        click.echo(json.dumps(as_object(row), ensure_ascii=False) if as_json else as_text(row))
    if found and next(left, None) is not None:
        click.echo(f"there are more than {limit}; show more with --limit", err=True)
    elif not found and not as_json:
        click.echo(empty, err=True)
