"""Who waits for answers in this process. All of it is gone with the process; what is durable is in the engine."""

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from statefun_runtime.answer import Answer
from statefun_runtime.interfaces import Address
from statefun_runtime.metrics import RequestFigures
from statefun_runtime.requests.request_function import Admitted, Event, Told


class Waiter:
    """One request that waits. `target` is the address that was called; None awaits no reply."""

    __slots__ = ("admitted", "answer", "name", "target")

    def __init__(self, name: str, target: Address | None) -> None:
        loop = asyncio.get_running_loop()
        self.name = name
        self.target = target
        self.admitted: asyncio.Future[int] = loop.create_future()
        """The epoch that found out that this request, and not another one, is that of the address."""
        self.answer: asyncio.Future[tuple[Answer, int]] = loop.create_future()
        """The answer, to be given when the epoch beside it is durable."""

    def admit(self, epoch: int) -> None:
        """Let it hear of replies from now on."""
        if not self.admitted.done():
            self.admitted.set_result(epoch)

    def tell(self, answer: Answer, epoch: int) -> None:
        """Answer it, unless it was answered."""
        if not self.answer.done():
            self.answer.set_result((answer, epoch))


class Waiting:
    """The waiters by the id of their request; several may wait for one with a key."""

    def __init__(self, figures: RequestFigures) -> None:
        self._figures = figures
        self._waiters: dict[str, list[Waiter]] = {}

    @contextmanager
    def open(self, request_id: str, name: str, target: Address | None) -> Generator[Waiter]:
        """A waiter, until the end of the block."""
        waiter = Waiter(name, target)
        waiters = self._waiters.setdefault(request_id, [])
        waiters.append(waiter)
        try:
            yield waiter
        finally:
            waiters.remove(waiter)
            if not waiters:
                del self._waiters[request_id]

    def happened(self, request_id: str, event: Event, epoch: int) -> None:
        """Tell those whom an event at the address of a request concerns; it is in `epoch`."""
        waiters = self._waiters.get(request_id, ())
        if isinstance(event, Admitted):
            for waiter in waiters:
                if waiter.name == event.waiter:
                    _admitted(waiter, event.answer, epoch)
        elif isinstance(event, Told):
            self._tell(waiters, event, epoch)
        else:
            self._figures.unused_replies["late"] += 1

    def _tell(self, waiters: "list[Waiter] | tuple[()]", event: Told, epoch: int) -> None:
        admitted = [waiter for waiter in waiters if waiter.admitted.done()]
        if not event.kept and not any(not waiter.answer.done() for waiter in admitted):
            self._figures.unused_replies["late" if admitted else "orphan"] += 1
        for waiter in admitted:
            waiter.tell(event.answer, epoch)

    def parked(self, address: Address, answer: Answer, epoch: int) -> None:
        """Answer those who wait for a reply from an address that will not be called."""
        for waiter in self._all():
            if waiter.target == address and waiter.admitted.done():
                waiter.tell(answer, epoch)

    def tell_all(self, answer: Answer) -> None:
        """Answer everybody at once."""
        for waiter in self._all():
            waiter.admit(0)
            waiter.tell(answer, 0)

    def fail_all(self, error: Exception) -> None:
        """Let everybody's wait end with an error."""
        for waiter in self._all():
            waiter.admit(0)
            if not waiter.answer.done():
                waiter.answer.set_exception(error)

    def _all(self) -> Iterator[Waiter]:
        return (waiter for waiters in self._waiters.values() for waiter in waiters)


def _admitted(waiter: Waiter, answer: Answer | None, epoch: int) -> None:
    waiter.admit(epoch)
    if answer is not None:
        waiter.tell(answer, epoch)
