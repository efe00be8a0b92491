"""Runs a coroutine in a context of its own, and tells whether it waits."""

import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any


class Suspended(Awaitable[None]):
    """A coroutine that waits; to be awaited once, in the task in which it has started."""

    __slots__ = ("_awaited", "_coroutine", "_run", "longest_step")

    def __init__(self, run: Callable[..., Any], coroutine: Coroutine[Any, Any, None], awaited: object) -> None:
        self._run = run
        self._coroutine = coroutine
        self._awaited = awaited
        self.longest_step = 0.0
        """Seconds that it ran between two waits, at most."""

    def __await__(self) -> Generator[Any, Any, None]:
        run, coroutine, awaited = self._run, self._coroutine, self._awaited
        try:
            while True:
                resume, value = coroutine.send, None
                try:
                    value = yield awaited
                except BaseException as error:  # noqa: BLE001 - it is the coroutine's to handle
                    resume, value = coroutine.throw, error
                began = time.perf_counter()
                try:
                    awaited = run(resume, value)
                finally:
                    self.longest_step = max(self.longest_step, time.perf_counter() - began)
        except StopIteration:
            return
        finally:
            coroutine.close()


def start(coroutine: Coroutine[Any, Any, None]) -> Suspended | None:
    """Run a coroutine until it waits for the first time; None if it has ended before. Raises what it raises.

    What it sets in context variables is not seen by what the task runs next.
    """
    run = copy_context().run
    try:
        awaited = run(coroutine.send, None)
    except StopIteration:
        return None
    return Suspended(run, coroutine, awaited)
