"""The way in for operators: `POST /operations`, for who can read the token in the data directory."""

import json
import secrets
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from statefun_runtime.errors import StoreError
from statefun_runtime.http_server import HttpError
from statefun_runtime.operation import Operation, Outcome

PATH = "/operations"

Perform: TypeAlias = Callable[[Operation], Awaitable[list[Outcome]]]


class OperationsRoute:
    """Answers when what was asked is durable: `{"outcomes": [...]}`, one for each target."""

    def __init__(self, token: str, perform: Perform) -> None:
        self._token = token.encode()
        self._perform = perform

    async def answer(self, request: web.Request) -> web.Response:
        """Carry out the operation in the body."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(token.encode(), self._token):
            raise HttpError(401, "operations need the token in the data directory", {"WWW-Authenticate": "Bearer"})
        try:
            operation = Operation.from_json(json.loads(await request.read()))
        except (ValueError, RecursionError) as error:
            raise HttpError(400, f"the body is no operation: {error}") from error
        try:
            outcomes = await self._perform(operation)
        except StoreError as error:
            raise HttpError(503, str(error)) from error
        return web.json_response({"outcomes": [outcome.as_json() for outcome in outcomes]})
