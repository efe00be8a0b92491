"""The suite: tree after tree, each with states of its own, up to the first that is not done right."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.conformance.commands import Message
from statefun_runtime.conformance.outcome import differences
from statefun_runtime.conformance.trees import STATES, Expectation, Planter, expected
from statefun_runtime.conformance.trial import Trial
from statefun_runtime.interfaces import Batch, Endpoint, Failure, Reply

INSTANCES = 5
_AT_ONCE = 16
"""Trees that are tried at the same time: each is a chain of calls, most of which is waiting."""
_SENDER = "conformance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is tried: `trees` trees from number `first` on, which depend on the seed, the typename and the states."""

    typename: str
    states: tuple[str, ...] = STATES
    seed: int = 1
    first: int = 0
    trees: int = 200


@dataclass(frozen=True, slots=True)
class FailedTree:
    """A tree that was not done right, and how."""

    number: int
    target: str
    root: Message
    problems: list[str]


@dataclass(slots=True)
class Tally:
    """What was done so far."""

    trees: int = 0
    messages: int = 0
    records: int = 0


async def try_trees(endpoint: Endpoint, plan: Plan, tally: Tally, progress: Callable[[], None]) -> FailedTree | None:
    """Try tree after tree, some at once; return the first that fails. `progress` is called after each.

    Raises UnreachableError if nobody answers.
    """
    end = plan.first + plan.trees
    for start in range(plan.first, end, _AT_ONCE):
        tasks = [asyncio.create_task(_try_tree(endpoint, plan, n)) for n in range(start, min(start + _AT_ONCE, end))]
        try:
            for task in tasks:
                tried = await task
                if isinstance(tried, FailedTree):
                    return tried
                _count(tally, tried)
                progress()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return None


async def _try_tree(endpoint: Endpoint, plan: Plan, number: int) -> Expectation | FailedTree:
    """What a tree did, or how it failed."""
    target, root = Planter(plan.seed, {plan.typename: plan.states}, INSTANCES).root(_SENDER, number)
    trial = Trial(endpoint, Random(f"{plan.seed} {number}"))  # noqa: S311  (repeatable losses)
    outcome = await trial.run(target, root)
    wanted = expected([(target, root)])
    problems = trial.failures + differences(outcome, wanted)
    return FailedTree(number, target, root, problems) if problems else wanted


def _count(tally: Tally, done: Expectation) -> None:
    tally.trees += 1
    tally.messages += sum(account.messages for account in done.accounts.values())
    tally.records += done.records.total()


async def try_unknown_function(endpoint: Endpoint, typename: str) -> str | None:
    """Call a function that nobody has; return what is wrong with the answer."""
    namespace = typename.rpartition("/")[0]
    target = (f"{namespace}/there_is_no_such_function", "id")
    value = TypedValue(typename="conformance/Message", has_value=True, value=b"{}").SerializeToString()
    answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    endpoint.invoke(Batch(target, {}, [(1, target, None, value)]), lambda _, reply: answered.set_result(reply))
    if isinstance(await answered, Failure):
        return None
    return f"a call of {target[0]}, which is no function, was answered with success"
