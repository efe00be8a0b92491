"""Both clients under one interface, so that one suite tests both."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from statefun.client import AsyncStatefunClient, Record, Reply, StatefunClient
from tests.sdk.client.server import ScriptedServer, scripted_server


class Client(Protocol):
    """The methods of `StatefunClient`."""

    def send(self, *arguments: Any, **options: Any) -> None: ...
    def send_many(self, *arguments: Any, **options: Any) -> None: ...
    def call(self, *arguments: Any, **options: Any) -> Reply: ...
    def subscribe(self, *arguments: Any, **options: Any) -> Iterator[Record]: ...
    def close(self) -> None: ...


class Blocking:
    """The client for asyncio, each of its calls run to the end on a loop of its own."""

    def __init__(self, url: str, **options: Any) -> None:
        self.runner = asyncio.Runner()
        self._client = AsyncStatefunClient(url, **options)

    def send(self, *arguments: Any, **options: Any) -> None:
        self.runner.run(self._client.send(*arguments, **options))

    def send_many(self, *arguments: Any, **options: Any) -> None:
        self.runner.run(self._client.send_many(*arguments, **options))

    def call(self, *arguments: Any, **options: Any) -> Reply:
        return self.runner.run(self._client.call(*arguments, **options))

    def subscribe(self, *arguments: Any, **options: Any) -> Iterator[Record]:
        records = self._client.subscribe(*arguments, **options)

        async def following() -> Record:
            return await anext(records)

        while True:
            yield self.runner.run(following())

    def close(self) -> None:
        self.runner.run(self._client.close())
        self.runner.close()


MakeClient = Callable[..., Client]


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


@pytest.fixture(params=[StatefunClient, Blocking], ids=["sync", "async"])
def connect(request: pytest.FixtureRequest) -> Iterator[MakeClient]:
    """Makes a client, for the URL and options of its class."""
    made: list[Client] = []

    def make(url: str, **options: Any) -> Client:
        client: Client = request.param(url, **options)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
