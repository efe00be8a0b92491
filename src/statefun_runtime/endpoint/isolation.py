"""Runs a coroutine in a context of its own, and tells whether it waits."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any


class Suspended(Awaitable[None]):
    """A coroutine that waits; to be awaited once, in the task in which it has started."""

    __slots__ = ("_awaited", "_coroutine", "_run")

    def __init__(self, run: Callable[..., Any], coroutine: Coroutine[Any, Any, None], awaited: object) -> None:
        self._run = run
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, None]:
        run, coroutine, awaited = self._run, self._coroutine, self._awaited
        try:
            while True:
                try:
                    value = yield awaited
                except BaseException as error:  # noqa: BLE001 - it is the coroutine's to handle
                    awaited = run(coroutine.throw, error)
                else:
                    awaited = run(coroutine.send, value)
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
