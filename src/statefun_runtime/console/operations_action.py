"""The action for operators: `POST /operations` with an `Operation`, answered with an `Outcome` for each target."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from statefun_runtime.console.actions import Action, JsonObject
from statefun_runtime.http_server import HttpError
from statefun_runtime.operation import Operation, Outcome

PATH = "/operations"

Perform: TypeAlias = Callable[[Operation], Awaitable[list[Outcome]]]


def operations_action(perform: Perform) -> Action:
    """An action that has `perform` carry out what is asked, and answers `{"outcomes": [...]}` when it is durable."""

    async def act(asked: JsonObject) -> JsonObject:
        try:
            operation = Operation.from_json(asked)
        except ValueError as error:
            raise HttpError(400, f"the body is no operation: {error}") from error
        return {"outcomes": [outcome.as_json() for outcome in await perform(operation)]}

    return act
