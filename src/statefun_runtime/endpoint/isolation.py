"""Awaits a coroutine in a context of its own, and tells when it waits for the first time."""

from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import copy_context
from typing import Any


class Isolated(Awaitable[None]):
    """Wraps a coroutine; to be awaited once, in a task.

    What the coroutine sets in context variables is not seen by what the task runs next. `waits` is called at the first
    suspension, if there is any.
    """

    __slots__ = ("_coroutine", "_waits")

    def __init__(self, coroutine: Coroutine[Any, Any, None], waits: Callable[[], object]) -> None:
        self._coroutine = coroutine
        self._waits = waits

    def __await__(self) -> Generator[Any, Any, None]:
        run, coroutine = copy_context().run, self._coroutine
        try:
            awaited = run(coroutine.send, None)
            self._waits()
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
