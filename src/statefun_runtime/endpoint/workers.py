"""Functions in processes of their own: they use more cores, and whatever they do, the engine goes on."""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from statefun_runtime.endpoint.hosted import Hosted
from statefun_runtime.endpoint.worker import Worker
from statefun_runtime.errors import ModuleError
from statefun_runtime.interfaces import Batch, Failure, FailureKind, ReplyTo, StateSpec
from statefun_runtime.module.transport_spec import TransportSpec

_CONNECT_MS: Final = 5000
_RESTART_SECONDS: Final = (0.1, 5.0)
"""The shortest and the longest time until a worker that has ended is started again."""
_STEADY_SECONDS: Final = 10.0
"""A worker that has lived for so long is started again after the shortest time."""

_log = logging.getLogger(__name__)


class Workers(Hosted):
    """Some workers with the same functions. A call goes to the one with the fewest under way."""

    def __init__(self, command: Sequence[str], count: int, call_timeout: int) -> None:
        """Take the settings.

        Args:
            command: Starts a worker, see `Worker`.
            count: How many there are.
            call_timeout: The longest call in milliseconds.
        """
        self._command = command
        self._count = count
        self._transport = TransportSpec(call_timeout, _CONNECT_MS)
        self._workers: list[Worker] = []
        """Those that take calls."""
        self._keepers: set[asyncio.Task[None]] = set()
        self._finishing: set[asyncio.Task[None]] = set()
        self._started = 0
        self._directory: Path | None = None
        """Of the workers' sockets, from the start on."""
        self._stopped = False
        self._functions: Mapping[str, str] = {}
        self.when_changed: Callable[[], None] = lambda: None
        """Called when the functions may be others, or declare other states."""

    @property
    def functions(self) -> Mapping[str, str]:
        return self._functions

    @property
    def place(self) -> str:
        return "in a worker" if self._count == 1 else f"in {self._count} workers"

    def declared(self) -> Iterator[tuple[str, list[StateSpec]]]:
        return iter(())

    async def start(self) -> None:
        """Start all workers. Raises ModuleError if one cannot serve."""
        self._directory = Path(tempfile.mkdtemp(prefix="statefun-"))
        try:
            self._take(await self._start_all())
        except BaseException:
            await self.stop()
            raise

    async def reload(self) -> bool:
        """Replace the workers by new ones, which import the code as it is now; those that are there finish their calls.

        Returns:
            Whether it was done. If the code cannot be imported, it is told in the log and the old workers go on.
        """
        try:
            workers = await self._start_all()
        except ModuleError as error:
            _log.error("the functions are not reloaded: %s", error)  # it has the user's traceback
            return False
        await self._end_keepers()
        before, self._workers = self._workers, []
        for worker in before:
            finishing = asyncio.create_task(self._finish(worker), name="old worker")
            self._finishing.add(finishing)
            finishing.add_done_callback(self._finishing.discard)
        self._take(workers)
        self.when_changed()
        return True

    async def _start_all(self) -> list[Worker]:
        workers = [self._new() for _ in range(self._count)]
        results = await asyncio.gather(*(worker.start() for worker in workers), return_exceptions=True)
        failures = [result for result in results if result is not None]
        if failures:
            for worker, result in zip(workers, results, strict=True):
                if result is None:
                    await worker.kill()
            raise failures[0]
        return workers

    def _new(self) -> Worker:
        if self._directory is None:
            raise RuntimeError("the workers have not been started")
        self._started += 1
        return Worker(self._command, self._directory / f"{self._started}.sock", self._transport)

    def _take(self, workers: Sequence[Worker]) -> None:
        self._functions = workers[0].functions
        self._workers = list(workers)
        for worker in workers:
            _log.info("the worker %d serves", worker.pid)
            keeper = asyncio.create_task(self._keep(worker), name=f"worker {worker.pid}")
            self._keepers.add(keeper)
            keeper.add_done_callback(self._keepers.discard)

    async def _keep(self, worker: Worker) -> None:
        """Start a worker again whenever it ends."""
        loop, (delay, longest) = asyncio.get_running_loop(), _RESTART_SECONDS
        while True:
            since = loop.time()
            ending = await worker.ended()
            self._workers.remove(worker)
            if loop.time() - since > _STEADY_SECONDS:
                delay = _RESTART_SECONDS[0]
            _log.error("the worker %d %s; it is started again in %g s", worker.pid, ending, delay)
            await worker.fail(f"the worker {worker.pid} {ending}")
            worker = await self._start_again(delay)
            delay = min(2 * delay, longest)

    async def _start_again(self, delay: float) -> Worker:
        while True:
            await asyncio.sleep(delay)
            delay = min(2 * delay, _RESTART_SECONDS[1])
            worker = self._new()
            try:
                await worker.start()
            except ModuleError as error:
                _log.error("a worker cannot be started, it is tried again in %g s: %s", delay, error)
                continue
            self._workers.append(worker)
            _log.info("the worker %d serves", worker.pid)
            if worker.functions != self._functions:
                self._functions = worker.functions
                self.when_changed()
            return worker

    async def _finish(self, worker: Worker) -> None:
        try:
            await worker.finished(self._transport.call_timeout / 1000)
        except TimeoutError:
            _log.warning("calls of the old worker %d took too long; they are made again", worker.pid)
        await worker.fail("the worker was replaced")

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        if self._stopped:
            return
        if not self._workers:
            reply_to(batch, Failure(FailureKind.UNREACHABLE, "no worker runs; the log says why they ended"))
            return
        min(self._workers, key=lambda worker: worker.in_flight).invoke(batch, reply_to)

    async def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        await self._end_keepers()
        for task in self._finishing:
            task.cancel()
        await asyncio.gather(*self._finishing, return_exceptions=True)
        for worker in self._workers:
            await worker.kill()
        self._workers = []
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)

    async def _end_keepers(self) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
