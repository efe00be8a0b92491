"""SIGINT and SIGTERM: the first one asks to stop, the second one stops at once."""

import asyncio
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals() -> Generator[asyncio.Event]:
    """An event of the running loop that the first signal sets.

    The second ends the process as a crash would, without any clean-up: durable is what was durable before, as after
    `kill -9`. The handlers are Python's own and not the loop's, so that the second one also ends a process whose loop
    is stuck in a function.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the form of a signal handler
        received.append(number)
        if len(received) > 1:
            os._exit(128 + number)
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
