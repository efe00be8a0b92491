"""The client for asyncio."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, Self, TypeVar

from statefun.client import plans
from statefun.client.async_connection import AsyncConnections
from statefun.client.exchange import Pause, Plan
from statefun.client.location import Location
from statefun.client.values import Outgoing, Record, Reply, TargetLike
from statefun.typename import TypeNameLike
from statefun.types import Type

T = TypeVar("T")


class AsyncStatefunClient:
    """As `StatefunClient`, whose methods say more. Belongs to the event loop that uses it first."""

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 30.0,
        retry_for: float = 30.0,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Make a client, with the arguments of `StatefunClient`."""
        self._connections = AsyncConnections(Location.parse(url, headers, tls))
        self._limits = plans.Limits(timeout, retry_for)

    async def send(
        self, target: TargetLike, value: T, value_type: Type[T] | None = None, *, key: str | None = None
    ) -> None:
        """Send a message; returns when it is durable."""
        await self._run(plans.send(Outgoing(target, value, value_type), key, self._limits))

    async def send_many(self, messages: Iterable[Outgoing], *, key: str | None = None) -> None:
        """Send messages, all of them or none, at most 10,000; returns when they are durable."""
        await self._run(plans.send_many(messages, key, self._limits))

    async def call(
        self,
        target: TargetLike,
        value: Any,
        value_type: Type[Any] | None = None,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  (the runtime's: it gives up waiting, the call goes on)
        key: str | None = None,
    ) -> Reply:
        """Send a message, and return what a function sends back to its caller."""
        seconds = self._limits.timeout if timeout is None else timeout
        return await self._run(plans.call(Outgoing(target, value, value_type), key, seconds))

    async def subscribe(self, egress: TypeNameLike, *, after: str = "") -> AsyncIterator[Record]:
        """The records of a subscription egress, for ever: it waits for those to come."""
        while True:
            page = await self._run(plans.poll(egress, after, self._limits))
            for record in page.records:
                yield record
            after = page.cursor

    async def close(self) -> None:
        """Close the connections that are not in use."""
        await self._connections.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _run(self, plan: Plan[T]) -> T:
        try:
            step = next(plan)
            while True:
                if isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                    step = next(plan)
                else:
                    step = plan.send(await self._connections.exchange(step))
        except StopIteration as end:
            result: T = end.value
            return result
