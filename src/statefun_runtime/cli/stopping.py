"""SIGINT and SIGTERM: the first one asks to stop, the second one stops at once."""

import asyncio
import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals(patience: float | None = None) -> Generator[asyncio.Event]:
    """An event of the running loop that the first signal sets.

    The second ends the process as a crash would, without any clean-up: durable is what was durable before, as after
    `kill -9`. So does the first one if the loop has not noticed it after `patience` seconds, since a function keeps it.
    The handlers are Python's own and not the loop's, so that they run in a process whose loop is stuck.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the form of a signal handler
        received.append(number)
        if len(received) > 1:
            os._exit(128 + number)
        if patience is not None:
            watch = threading.Timer(patience, os._exit, [128 + number])
            watch.daemon = True
            watch.start()
            loop.call_soon_threadsafe(watch.cancel)
        loop.call_soon_threadsafe(stop.set)

    before = {number: signal.signal(number, handle) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
