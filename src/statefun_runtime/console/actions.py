"""Actions: what changes a running runtime, by POST with a JSON object in and out, for the owner of its data alone.

A request must come from loopback and carry the token of this run (see `access.py`) in a header, which a page in a
browser neither knows nor may send.
"""

import json
import secrets
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeAlias, cast

from aiohttp import web

from statefun_runtime.console.admin import AdminServer
from statefun_runtime.errors import StatefunRuntimeError
from statefun_runtime.http_server import HttpError, is_loopback

JsonObject: TypeAlias = dict[str, Any]
Action: TypeAlias = Callable[[JsonObject], Awaitable[JsonObject]]
"""What it raises as a StatefunRuntimeError is told to whoever asked, with status 409."""


class Actions:
    """The actions of one run; add all of them before the admin server starts."""

    def __init__(self, admin: AdminServer, token: str) -> None:
        self._admin = admin
        self._token = token.encode()

    def add(self, path: str, action: Action) -> None:
        """Do `action` for a POST to `path`."""
        self._admin.add_route("POST", path, partial(self._answer, action))

    async def _answer(self, action: Action, request: web.Request) -> web.Response:
        if not is_loopback(request.remote or ""):
            raise HttpError(403, "actions are taken from loopback only")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(token.encode(), self._token):
            raise HttpError(401, "actions need the token in the data directory", {"WWW-Authenticate": "Bearer"})
        try:
            return web.json_response(await action(_object(await request.read())))
        except StatefunRuntimeError as error:
            raise HttpError(409, str(error)) from error


def _object(body: bytes) -> JsonObject:
    try:
        found: object = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise HttpError(400, f"the body is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise HttpError(400, "the body must be a JSON object")
    return cast("JsonObject", found)
