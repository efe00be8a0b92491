"""Clients that send a message with a key, and again until they are told that it was taken. On the requests as they are.

What a client was told counts: its message is not sent again, whatever crashes afterwards.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from statefun_runtime.answer import REQUESTS, Answer, AnswerKind
from statefun_runtime.engine.engine import Engine
from statefun_runtime.interfaces import Arrival, Batch, Inlet, Rejected, Request
from statefun_runtime.metrics import RequestFigures
from statefun_runtime.requests.endpoint import RequestEndpoint
from statefun_runtime.requests.live import LiveRequests
from statefun_runtime.requests.record import request_states
from statefun_runtime.requests.waiting import Waiting

from .plan import REQUEST_SCOPE, Node

RETENTION = 1 << 50
"""Milliseconds for which keys are kept: longer than any run."""
TURNS = 6
"""Of the event loop, from what happened until those who wait for it have gone on."""


@dataclass(slots=True)
class _Wait:
    epoch: int
    done: asyncio.Future[None]


class _Inlet(Inlet):
    """The engine, and the epochs that somebody waits for."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.waits: list[_Wait] = []

    def accept(
        self,
        arrivals: Sequence[Arrival],
        partition: str = "",
        position: bytes | None = None,
        rejected: Sequence[Rejected] = (),
    ) -> int:
        assert not rejected
        return self._engine.accept("requests", arrivals, partition, position)

    async def room(self, typenames: Collection[str] = ()) -> None:
        raise NotImplementedError

    async def durable(self, epoch: int) -> None:
        wait = _Wait(epoch, asyncio.get_running_loop().create_future())
        self.waits.append(wait)
        self.committed()
        await wait.done

    def committed(self) -> None:
        for wait in self.waits:
            if wait.epoch <= self._engine.durable and not wait.done.done():
                wait.done.set_result(None)


class Clients:
    """All clients of one run, over any number of crashes."""

    def __init__(self) -> None:
        self.told: set[int] = set()
        """The messages of which a client was told that they were taken."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asking: list[tuple[int, asyncio.Task[Answer]]] = []

    def close(self) -> None:
        """End all waiting and the loop."""
        self._give_up()
        if self._loop is not None:
            self._loop.close()

    def start(self, engine: Engine) -> None:
        """Go on with another engine: nobody is answered any more who waited for the one before."""
        self._give_up()
        engine.declare(REQUESTS, request_states(RETENTION))
        figures = RequestFigures()
        waiting = Waiting(figures)
        self._engine, self._inlet = engine, _Inlet(engine)
        self._endpoint = RequestEndpoint(waiting, lambda: engine.epoch.number)
        self._requests = LiveRequests(waiting, figures, self._inlet, lambda _: None, {})

    def ask(self, node: Node) -> bool:
        """Send a message, unless the client was told; tell whether it waits for an answer to the same already."""
        if node.number in self.told:
            return False
        payload = str(node.number).encode()
        request = Request(
            (Arrival(node.target, payload),), awaits_reply=False, key=payload.decode(), scope=REQUEST_SCOPE
        )
        is_repeat = any(number == node.number for number, _ in self._asking)
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
        self._asking.append((node.number, self._loop.create_task(self._requests.ask(request, None))))
        self.go_on()
        return is_repeat

    def invoke(self, batch: Batch) -> None:
        """Let the runtime's own function answer a batch for requests."""
        self._endpoint.invoke(batch, self._engine.reply)
        self.go_on()

    def go_on(self) -> None:
        """Let those who wait find out what has happened."""
        if not self._asking:
            return
        self._inlet.committed()
        self._turn()
        for number, task in self._asking:
            if task.done():
                assert task.result().kind is AnswerKind.ACCEPTED
                self.told.add(number)
        self._asking = [(number, task) for number, task in self._asking if not task.done()]

    def _give_up(self) -> None:
        for _, task in self._asking:
            task.cancel()
        if self._asking:
            self._turn()
        self._asking = []

    def _turn(self) -> None:
        assert self._loop is not None
        for _ in range(TURNS):
            self._loop.call_soon(self._loop.stop)
            self._loop.run_forever()
