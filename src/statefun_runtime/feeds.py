"""The ingresses of a running application: they feed the runtime until their sources end or they are stopped."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from statefun_runtime.interfaces import Ingress

_log = logging.getLogger(__name__)


class Feeds:
    """Runs ingresses that have started, and stops them once, whoever asks."""

    def __init__(self, ingresses: Mapping[str, Ingress], ended: Callable[[str], object]) -> None:
        """Args: `ended` is told the name of an ingress that has come to the end of its source."""
        self._ingresses = ingresses
        self._ended = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Feed until all sources have ended or `stop` is called. Raises what the first ingress that fails raises."""
        self._tasks = {asyncio.create_task(self._feed(name), name=name) for name in self._ingresses}
        waiting = self._tasks
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    if not task.cancelled():
                        task.result()
        finally:
            await self._cancel()

    async def stop(self) -> None:
        """Take nothing more; what was taken is finished. Returns when that is done, also for whoever asks again."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(), name="stop ingresses")
        await asyncio.shield(self._stopping)

    async def _feed(self, name: str) -> None:
        await self._ingresses[name].run()
        self._ended(name)
        _log.info("the ingress %s has come to the end of its source", name)

    async def _stop(self) -> None:
        await self._cancel()
        for ingress in self._ingresses.values():
            await ingress.stop()

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
