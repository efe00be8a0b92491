"""The suite passes a right server, and finds what a wrong one does."""

from collections.abc import Callable

import pytest

from conformance.python.server import make_functions
from statefun import RequestReplyHandler
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.conformance.suite import FailedTree, Plan, Tally, try_trees, try_unknown_function
from statefun_runtime.conformance.trees import STATES
from statefun_runtime.conformance.trial import UnreachableError
from statefun_runtime.endpoint.codec import decode_reply, encode_batch
from statefun_runtime.interfaces import Batch, Cancellation, Effects, Endpoint, Failure, FailureKind, Reply, ReplyTo

TYPENAME = "conformance/instance"
PLAN = Plan(typename=TYPENAME, trees=30)
WITHOUT_FLOAT = tuple(state for state in STATES if state != "float")
Alter = Callable[[Batch, Reply], Reply]


class Altering(Endpoint):
    """A function server without HTTP, whose replies are altered on their way."""

    def __init__(self, alter: Alter) -> None:
        self._handler = RequestReplyHandler(make_functions(TYPENAME))
        self._alter = alter

    async def start(self) -> None:
        """There is nothing to start."""

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        try:
            reply = decode_reply(self._handler.handle_sync(encode_batch(batch)))
        except Exception as error:  # noqa: BLE001  whatever a function raises is a failure
            reply = Failure(FailureKind.TRANSIENT, f"answered 500: {error}")
        reply_to(batch, self._alter(batch, reply))

    async def stop(self) -> None:
        """There is nothing to stop."""


async def attempt(alter: Alter, plan: Plan = PLAN) -> tuple[FailedTree | None, Tally]:
    tally = Tally()
    return await try_trees(Altering(alter), plan, tally, lambda: None), tally


def as_it_is(_: Batch, reply: Reply) -> Reply:
    return reply


def without_a_write(_: Batch, reply: Reply) -> Reply:
    if isinstance(reply, Effects):
        reply.mutations.pop("float", None)
    return reply


def without_last_message(_: Batch, reply: Reply) -> Reply:
    if isinstance(reply, Effects) and len(reply.sends) > 1:
        reply.sends.pop()
    return reply


def in_another_order(_: Batch, reply: Reply) -> Reply:
    if isinstance(reply, Effects):
        reply.sends.reverse()
    return reply


def with_records_twice(_: Batch, reply: Reply) -> Reply:
    if isinstance(reply, Effects):
        reply.egresses *= 2
    return reply


def without_cancellations(_: Batch, reply: Reply) -> Reply:
    if isinstance(reply, Effects):
        reply.delayed = [each for each in reply.delayed if not isinstance(each, Cancellation)]
    return reply


def without_delayed_messages(_: Batch, reply: Reply) -> Reply:
    if isinstance(reply, Effects):
        reply.delayed = [each for each in reply.delayed if isinstance(each, Cancellation)]
    return reply


def with_values_for_deletions(_: Batch, reply: Reply) -> Reply:
    if isinstance(reply, Effects) and reply.mutations.get("scratch", b"") is None:
        value = TypedValue(typename="io.statefun.types/string", has_value=True, value=b"\n\1x")
        reply.mutations["scratch"] = value.SerializeToString()
    return reply


def with_effects_and_a_failure(batch: Batch, reply: Reply) -> Reply:
    if isinstance(reply, Failure) and batch.attempt == 1:
        return Effects()
    return reply


def that_is_none(_: Batch, reply: Reply) -> Reply:
    return Failure(FailureKind.PERMANENT, "answered 404")


async def test_a_right_server_passes() -> None:
    failed, tally = await attempt(as_it_is)
    assert failed is None
    assert tally.trees == PLAN.trees
    assert tally.messages > PLAN.trees
    assert tally.records > 0


@pytest.mark.parametrize(
    "alter",
    [
        without_a_write,
        without_last_message,
        in_another_order,
        with_records_twice,
        without_cancellations,
        without_delayed_messages,
        with_values_for_deletions,
        with_effects_and_a_failure,
        that_is_none,
    ],
)
async def test_a_wrong_server_is_found(alter: Alter) -> None:
    failed, _ = await attempt(alter)
    assert failed is not None
    assert failed.problems


async def test_a_failed_tree_fails_by_itself() -> None:
    failed, _ = await attempt(with_records_twice)
    assert failed is not None
    again, _ = await attempt(with_records_twice, Plan(typename=TYPENAME, first=failed.number, trees=1))
    assert again == failed


async def test_a_state_that_the_function_lacks_is_not_asked_for() -> None:
    failed, _ = await attempt(without_a_write, Plan(typename=TYPENAME, states=WITHOUT_FLOAT, trees=30))
    assert failed is None


async def test_what_an_address_is_parked_for_is_told() -> None:
    failed, _ = await attempt(that_is_none)
    assert failed is not None
    assert failed.problems[0] == "a call failed for good: answered 404"


async def test_a_server_that_is_not_there_is_no_failure_of_a_tree() -> None:
    with pytest.raises(UnreachableError, match="connection refused"):
        await attempt(lambda _, __: Failure(FailureKind.UNREACHABLE, "connection refused"))


async def test_an_unknown_function_must_be_answered_with_a_failure() -> None:
    assert await try_unknown_function(Altering(as_it_is), TYPENAME) is None
    assert await try_unknown_function(Altering(lambda _, __: Effects()), TYPENAME) == (
        "a call of conformance/there_is_no_such_function, which is no function, was answered with success"
    )
