"""Requests as the ingresses of a running application make them."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

from statefun_runtime.answer import REQUESTS, Answer, AnswerKind
from statefun_runtime.epoch import Epoch, Parked
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Address, Arrival, Inlet, Request, Requests
from statefun_runtime.metrics import RequestFigures
from statefun_runtime.requests.ask import Ask, request_id
from statefun_runtime.requests.waiting import Waiter, Waiting

GRACE_SECONDS: Final = 1.0
"""How long those who wait may still get their reply when the runtime stops."""


class LiveRequests(Requests):
    """Hands requests to their addresses, and answers those who wait when what they are told is durable."""

    def __init__(
        self,
        waiting: Waiting,
        figures: RequestFigures,
        inlet: Inlet,
        find_parked: Callable[[Address], Parked | None],
        aliases: Mapping[str, str],
    ) -> None:
        """Requests on top of an inlet.

        Args:
            waiting: Is told by the endpoint of `REQUESTS` what happens to requests.
            figures: To count in.
            inlet: Where requests go.
            find_parked: Tells why an address is parked.
            aliases: By a typename that a function had before: the one it has now.
        """
        self._waiting = waiting
        self._figures = figures
        self._inlet = inlet
        self._find_parked = find_parked
        self._aliases = aliases
        self._stopping = False

    async def ask(self, request: Request, seconds: float | None) -> Answer:
        began, outcome = time.perf_counter(), "not durable"
        self._figures.waiting += 1
        try:
            async with asyncio.timeout(seconds):
                answer, epoch = await self._answer(request)
                await self._inlet.durable(epoch)
            outcome = answer.kind.value
        except TimeoutError:
            outcome = "no reply in time"
            raise
        finally:
            self._figures.waiting -= 1
            self._figures.answers[outcome] += 1
        if answer.kind is AnswerKind.REPLIED:
            self._figures.latency.observe(time.perf_counter() - began)
        return answer

    async def _answer(self, request: Request) -> tuple[Answer, int]:
        """The answer, and the epoch that must be durable before it is given."""
        if self._stopping:
            return Answer(AnswerKind.STOPPED, reason="the runtime stops; the message was not taken"), 0
        target = self._called(request)
        if request.key is not None:
            return await self._with_key(request, request_id(request.scope, request.key), target)
        if target is None:
            return Answer(AnswerKind.ACCEPTED), self._inlet.accept(request.arrivals)
        return await self._without_key(request.arrivals[0], target)

    def _called(self, request: Request) -> Address | None:
        """The address that replies, by the name that its function has now; None if none need reply."""
        if not request.awaits_reply:
            return None
        typename, identifier = request.arrivals[0].target
        return self._aliases.get(typename, typename), identifier

    async def _without_key(self, arrival: Arrival, target: Address) -> tuple[Answer, int]:
        parked = self._find_parked(target)
        if parked is not None:
            return Answer(AnswerKind.REFUSED, reason=parked.reason), 0
        own = secrets.token_urlsafe(16)
        with self._waiting.open(own, "", target) as waiter:
            waiter.admit(self._inlet.accept((Arrival(arrival.target, arrival.payload, (REQUESTS, own)),)))
            return await waiter.answer

    async def _with_key(self, request: Request, own: str, target: Address | None) -> tuple[Answer, int]:
        name = secrets.token_urlsafe(8)
        with self._waiting.open(own, name, target) as waiter:
            self._inlet.accept((Arrival((REQUESTS, own), Ask.of(request, name).encode()),))
            epoch = await waiter.admitted
            self._look_at_target(waiter, epoch)
            return await waiter.answer

    def _look_at_target(self, waiter: Waiter, epoch: int) -> None:
        if waiter.target is not None and not waiter.answer.done():
            parked = self._find_parked(waiter.target)
            if parked is not None:
                waiter.tell(_parked(parked), epoch)

    def durable(self, epoch: Epoch) -> None:
        """Take note of an epoch that is on disk: whoever waits for an address that it parks is told so."""
        for address, parked in epoch.parked.items():
            if parked is not None:
                self._waiting.parked(address, _parked(parked), epoch.number)

    def failed(self, failure: asyncio.Future[None]) -> None:
        """Take note that nothing more will be durable: nobody needs to wait on."""
        self._waiting.fail_all(StoreError(f"the runtime has failed: {failure.exception()}"))

    def stop(self) -> None:
        """Take nothing more; who still waits after `GRACE_SECONDS` is told that the runtime stops. Idempotent."""
        if not self._stopping:
            self._stopping = True
            answer = Answer(AnswerKind.STOPPED, reason="the runtime stops, and there is no reply yet")
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self._waiting.tell_all, answer)


def _parked(parked: Parked) -> Answer:
    return Answer(AnswerKind.PARKED, reason=parked.reason)
