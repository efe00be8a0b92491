"""Senders of HTTP requests, and what they were answered."""

import asyncio
import http
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

import aiohttp

ADDRESSES = 1000
MOST_WAITING = 500
"""Connections with a request under way; what is due while all are taken counts as not sent."""


@dataclass
class Answers:
    """What became of the requests to one function; latencies are those of acknowledged ones, in milliseconds."""

    outcomes: Counter[str] = field(default_factory=Counter[str])
    latencies: list[float] = field(default_factory=list[float])
    accepted: Counter[str] = field(default_factory=Counter[str])
    """By address, `<typename>/<id>`."""


class Load:
    """Sends to one function of a runtime."""

    def __init__(self, session: aiohttp.ClientSession, url: str, function: str) -> None:
        self.answers = Answers()
        self._session = session
        self._typename = f"overload/{function}"
        self._url = url
        self._numbers = itertools.count()
        self._waiting: set[asyncio.Task[bool]] = set()

    async def send(self) -> bool:
        """Send one message; whether it was accepted."""
        address = f"{self._typename}/{next(self._numbers) % ADDRESSES}"
        started = time.time()
        try:
            async with self._session.put(f"{self._url}/{address}", data=str(started)) as response:
                await response.read()
        except aiohttp.ClientError as error:
            self.answers.outcomes[type(error).__name__] += 1
            return False
        self.answers.outcomes[str(response.status)] += 1
        if response.status != http.HTTPStatus.ACCEPTED:
            return False
        self.answers.latencies.append(1000 * (time.time() - started))
        self.answers.accepted[address] += 1
        return True

    async def send_at(self, rate: float, seconds: float) -> None:
        """Send so many a second, whether or not there are answers; then wait for them."""
        started = time.monotonic()
        for number in range(int(rate * seconds)):
            late = started + number / rate - time.monotonic()
            await asyncio.sleep(max(0.0, late))
            if len(self._waiting) < MOST_WAITING:
                task = asyncio.create_task(self.send())
                self._waiting.add(task)
                task.add_done_callback(self._waiting.discard)
            else:
                self.answers.outcomes["not sent"] += 1
        await asyncio.gather(*self._waiting)

    async def send_in_turn(self, seconds: float) -> int:
        """Send one message after the other for a while; how many were accepted."""
        accepted, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            accepted += await self.send()
        return accepted
