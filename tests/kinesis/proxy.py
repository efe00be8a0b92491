"""Stands between an adapter and the server, and fails as a test says."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from aiohttp import ClientSession, web

Answer: TypeAlias = tuple[int, dict[str, Any]]
"""(status, body)."""
Fault: TypeAlias = Callable[[str, dict[str, Any]], Answer | None]
"""From the name of a request and its body to the answer in the server's place; None to pass it on."""

THROTTLED: Answer = (400, {"__type": "ProvisionedThroughputExceededException", "message": "Rate exceeded"})
WRONG_KEY: Answer = (400, {"__type": "UnrecognizedClientException", "message": "The security token is invalid."})
_JSON = "application/x-amz-json-1.1"


class Proxy:
    """A proxy; `fault` is asked about each request, `refused` which records of a PutRecords are not taken."""

    def __init__(self, server: str) -> None:
        self.fault: Fault = lambda name, body: None
        self.refused: Callable[[list[dict[str, Any]]], set[int]] = lambda records: set()
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.url = ""
        self._server = server

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["Proxy"]:
        application = web.Application(client_max_size=1 << 25)
        application.router.add_post("/", self._handle)
        runner = web.AppRunner(application, shutdown_timeout=0)
        async with ClientSession() as self._session:
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", port).start()
                self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
                yield self
            finally:
                await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        name = request.headers["X-Amz-Target"].rpartition(".")[2]
        body = json.loads(await request.read())
        self.requests.append((name, body))
        answer = self.fault(name, body)
        if answer is None:
            answer = await self._put(request, body) if name == "PutRecords" else await self._pass_on(request, body)
        return web.Response(status=answer[0], body=json.dumps(answer[1]), content_type=_JSON)

    async def _put(self, request: web.Request, body: dict[str, Any]) -> Answer:
        """Pass on the records that are not refused, and answer for all of them."""
        records = body["Records"]
        refused = self.refused(records)
        taken = [record for at, record in enumerate(records) if at not in refused]
        status, answer = await self._pass_on(request, {**body, "Records": taken}) if taken else (200, {"Records": []})
        if status != 200:
            return status, answer
        given = iter(answer["Records"])
        error = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded"}
        answers = [error if at in refused else next(given) for at in range(len(records))]
        return 200, {"FailedRecordCount": len(refused), "Records": answers}

    async def _pass_on(self, request: web.Request, body: dict[str, Any]) -> Answer:
        kept = ("X-Amz-Target", "Authorization", "X-Amz-Date", "Content-Type")
        headers = {name: request.headers[name] for name in kept}
        async with self._session.post(self._server, data=json.dumps(body), headers=headers) as response:
            return response.status, json.loads(await response.read() or b"{}")
