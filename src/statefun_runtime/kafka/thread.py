"""The thread on which the blocking calls of Kafka's clients are made."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


class KafkaThread:
    """One thread of one adapter; its clients are used there only, one call after the other."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, name)

    async def run(self, call: Callable[[], _T]) -> _T:
        """Make a call; return or raise what it does."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def end(self) -> None:
        """Wait for the call under way and end the thread."""
        self._executor.shutdown(wait=True)
