"""Tells of functions that keep the event loop for themselves: nothing else goes on meanwhile."""

import logging
import time
from collections.abc import Callable
from typing import Final

from statefun_runtime.interfaces import Address

HELD_SECONDS: Final = 0.1
"""A function that keeps the loop for longer, without an `await` that waits, is told of."""
_SILENCE_SECONDS: Final = 60.0
_log = logging.getLogger(__name__)


class LoopWatch:
    """Warns of each function, once a minute at most."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._told: dict[str, float] = {}
        """By typename, when it was told of last."""

    def ran(self, address: Address, seconds: float) -> None:
        """Take note that a function ran for so long without a pause."""
        if seconds <= HELD_SECONDS:
            return
        typename, now = address[0], self._clock()
        if now - self._told.get(typename, -_SILENCE_SECONDS) < _SILENCE_SECONDS:
            return
        self._told[typename] = now
        _log.warning(
            "the function %s %r kept the event loop for %.2f s, and all others waited; let it await what it waits for, "
            "or run it in processes of their own (--workers)",
            *address,
            seconds,
        )
