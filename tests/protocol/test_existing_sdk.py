"""Both SDKs answer alike: replies are compared after parsing, errors by that there is one."""

import pytest

from statefun import RequestReplyHandler
from statefun.protocol.request_reply_pb2 import FromFunction
from tests.protocol.application import functions
from tests.protocol.generate import random_requests
from tests.protocol.golden import Answer, ask_existing_sdk, recorded, requests_to_record

RECORDED = recorded()
SEEDS = (11, 12, 13)
REQUESTS_PER_SEED = 200


async def answer(request: bytes) -> Answer:
    try:
        return Answer(reply=await RequestReplyHandler(functions).handle_async(request))
    except Exception as error:  # noqa: BLE001  whatever it raises is its answer
        return Answer(error=f"{type(error).__name__}: {error}")


def meaning(reply: bytes) -> FromFunction:
    """The reply, where one without content and one with an empty result are the same."""
    parsed = FromFunction.FromString(reply)
    if not parsed.HasField("incomplete_invocation_context"):
        parsed.invocation_result.SetInParent()
    return parsed


def assert_same(ours: Answer, theirs: Answer) -> None:
    if theirs.reply is None or ours.reply is None:
        assert (ours.reply is None) == (theirs.reply is None), f"ours: {ours}, the existing SDK's: {theirs}"
    else:
        assert meaning(ours.reply) == meaning(theirs.reply)


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_request_is_answered_as_recorded(name: str) -> None:
    request, theirs = RECORDED[name]
    assert_same(await answer(request), theirs)


async def test_the_reason_of_a_failing_function_is_told() -> None:
    request, theirs = RECORDED["a failing message fails the whole batch"]
    ours = await answer(request)
    assert theirs.error == "RuntimeError: on purpose"
    assert ours.error is not None
    assert "on purpose" in ours.error


@pytest.mark.slow
def test_the_records_are_what_the_existing_sdk_answers() -> None:
    requests = {name: data for group in requests_to_record().values() for name, data in group.items()}
    assert {name: data for name, (data, _) in RECORDED.items()} == requests
    for name, theirs in zip(requests, ask_existing_sdk(requests.values()), strict=True):
        assert_same(RECORDED[name][1], theirs)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_random_requests_are_answered_alike(seed: int) -> None:
    requests = list(random_requests(seed, REQUESTS_PER_SEED))
    theirs = ask_existing_sdk(requests)
    assert sum(one.reply is not None for one in theirs) > REQUESTS_PER_SEED / 2
    for request, their_answer in zip(requests, theirs, strict=True):
        assert_same(await answer(request), their_answer)
