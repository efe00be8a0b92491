"""`statefun conformance`: whether a function server keeps the protocol."""

import json
import sys

import click

from statefun.typename import split_typename
from statefun_runtime.cli import process
from statefun_runtime.cli.failure import Command, CommandError, ExitCode
from statefun_runtime.conformance.suite import FailedTree, Plan, Tally, try_trees, try_unknown_function
from statefun_runtime.conformance.trees import STATES
from statefun_runtime.conformance.trial import UnreachableError
from statefun_runtime.endpoint.http import HttpEndpoint
from statefun_runtime.module.endpoint_url import check_url_template
from statefun_runtime.module.transport_spec import TransportSpec

_CALL_TIMEOUT = 10_000
"""Milliseconds after which a call is tried again; no command takes so long."""
_PROBLEMS = 20


@click.command(cls=Command)
@click.argument("url", metavar="URL")
@click.option(
    "--function",
    "typename",
    default="conformance/instance",
    show_default=True,
    metavar="NAMESPACE/NAME",
    help="The interpreter of commands.",
)
@click.option(
    "--without",
    "missing",
    type=click.Choice(STATES),
    multiple=True,
    help="A state that the function does not have, since its SDK lacks the type; may be repeated.",
)
@click.option("--trees", type=click.IntRange(min=1), default=200, show_default=True, help="How many trees are tried.")
@click.option("--first", type=click.IntRange(min=0), default=0, show_default=True, help="The number of the first tree.")
@click.option("--seed", type=int, default=1, show_default=True, help="Decides what the trees are.")
def conformance(url: str, typename: str, missing: tuple[str, ...], trees: int, first: int, seed: int) -> None:
    """Try whether a function server keeps the protocol, by random trees of commands.

    The server has one function, an interpreter of commands. Each tree is a message whose commands send further ones,
    write and read states, send delayed messages, cancel them, tell egresses and fail; some replies are taken for lost,
    so that requests come twice. In the end every effect must be there once. The exit code is 1 if a tree fails.

    \b
    Example:
      statefun conformance http://127.0.0.1:8000/statefun --without long --without double
    """  # noqa: D301  # click's mark for a paragraph that keeps its lines
    states = tuple(state for state in STATES if state not in missing)
    if not states:
        raise click.UsageError("a function without any state cannot be tried")
    try:
        split_typename(typename)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--function") from None
    plan = Plan(typename=typename, states=states, seed=seed, first=first, trees=trees)
    tally = Tally()
    failed = process.run(_try(_endpoint(url), plan, tally))
    if failed is not None:
        raise CommandError(_report(failed, plan, url, missing))
    click.echo(f"{tally.trees} trees, {tally.messages} messages, {tally.records} records: all as they must be")


def _endpoint(url: str) -> HttpEndpoint:
    try:
        template = check_url_template(url)
    except ValueError as error:
        raise click.BadParameter(f"{url} {error}", param_hint="URL") from None
    return HttpEndpoint(template, TransportSpec(call_timeout=_CALL_TIMEOUT, connect_timeout=_CALL_TIMEOUT))


async def _try(endpoint: HttpEndpoint, plan: Plan, tally: Tally) -> FailedTree | None:
    await endpoint.start()
    try:
        with click.progressbar(range(plan.trees), label="trees", file=sys.stderr) as bar:
            failed = await try_trees(endpoint, plan, tally, lambda: bar.update(1))
        if failed is None and (problem := await try_unknown_function(endpoint, plan.typename)):
            raise CommandError(problem)
    except UnreachableError as error:
        raise CommandError(str(error), ExitCode.UNREACHABLE) from error
    finally:
        await endpoint.stop()
    return failed


def _report(failed: FailedTree, plan: Plan, url: str, missing: tuple[str, ...]) -> str:
    problems = failed.problems[:_PROBLEMS]
    lines = [f"tree {failed.number} of seed {plan.seed} was not done right:", *(f"  {each}" for each in problems)]
    if len(failed.problems) > len(problems):
        lines.append(f"  and {len(failed.problems) - len(problems)} more")
    without = "".join(f" --without {state}" for state in missing)
    again = f"--function {plan.typename}{without} --seed {plan.seed} --first {failed.number} --trees 1"
    lines += [f"Its message to {failed.target}:", f"  {json.dumps(failed.root)}"]
    return "\n".join([*lines, f"Again: statefun conformance {url} {again}"])
