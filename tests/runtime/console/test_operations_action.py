"""The action for operators."""

import pytest

from statefun_runtime.console.operations_action import operations_action
from statefun_runtime.errors import StoreError
from statefun_runtime.http_server import HttpError
from statefun_runtime.operation import Action, Operation, Outcome

OPERATION = Operation(Action.SKIP, (("test/f", "a"),), "ann")


async def test_an_operation_is_carried_out_and_its_outcomes_are_answered() -> None:
    asked: list[Operation] = []

    async def perform(operation: Operation) -> list[Outcome]:
        asked.append(operation)
        return [Outcome("test/f/a", done=True, text="done")]

    act = operations_action(perform)
    assert await act({"action": "skip", "targets": [["test/f", "a"]], "who": "ann"}) == {
        "outcomes": [{"target": "test/f/a", "done": True, "text": "done", "more": False}]
    }
    assert asked == [OPERATION]


async def test_a_body_that_is_no_operation_is_refused_and_nothing_is_done() -> None:
    async def perform(_: Operation) -> list[Outcome]:
        raise AssertionError("asked")

    with pytest.raises(HttpError, match="the body is no operation: targets must be") as raised:
        await operations_action(perform)({"action": "skip"})
    assert raised.value.status == 400


async def test_what_cannot_be_made_durable_is_told_by_whoever_answers() -> None:
    async def perform(_: Operation) -> list[Outcome]:
        raise StoreError("disk full")

    with pytest.raises(StoreError):
        await operations_action(perform)(OPERATION.as_json())
