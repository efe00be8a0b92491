"""The composition root: builds the parts of a running application, starts them in order, stops them in order.

Start: the store is read, functions and endpoints are ready, egresses get what was not out, and only then ingresses
begin. Stop: ingresses end, calls under way finish, the last epoch becomes durable, egresses write it.
"""

import asyncio
import logging
import secrets
from contextlib import AsyncExitStack
from functools import partial
from random import SystemRandom

from statefun_runtime.access import Access, remove_access, write_access
from statefun_runtime.adapters import make_egress, make_ingress
from statefun_runtime.answer import OWN_NAMESPACE, REQUESTS
from statefun_runtime.clock import EngineClock, SystemClock
from statefun_runtime.config import FunctionSettings, RuntimeConfig
from statefun_runtime.console.actions import Actions
from statefun_runtime.console.admin import AdminServer, Probes
from statefun_runtime.console.operations_action import PATH, operations_action
from statefun_runtime.driver import Driver
from statefun_runtime.endpoint.hosted import Hosted
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.limits import FailurePolicy, Limits, OnFailure
from statefun_runtime.epoch import Recovery
from statefun_runtime.errors import ConfigError
from statefun_runtime.feeds import Feeds
from statefun_runtime.interfaces import AdapterContext, Egress, Ingress, RecordCounts
from statefun_runtime.maintenance import Maintenance
from statefun_runtime.metrics import EngineSnapshot, Metrics
from statefun_runtime.module.module import Module
from statefun_runtime.operation import MAX_TARGETS, Action, Operation
from statefun_runtime.operation_runner import LiveOperations
from statefun_runtime.reading import find_parked
from statefun_runtime.requests.endpoint import RequestEndpoint
from statefun_runtime.requests.live import LiveRequests
from statefun_runtime.requests.record import request_states
from statefun_runtime.requests.waiting import Waiting
from statefun_runtime.routing import Routes
from statefun_runtime.status import Status
from statefun_runtime.store.recovery import find_misconfigured, recover, release_misconfigured
from statefun_runtime.store.renaming import rename_function
from statefun_runtime.store.rocksdb import RocksDBStore
from statefun_runtime.store.savepoint import refuse_savepoint
from statefun_runtime.sweep import ExpirySweep

_log = logging.getLogger(__name__)


class Runtime:
    """Runs one application on one data directory."""

    def __init__(self, module: Module, hosted: Hosted, config: RuntimeConfig) -> None:
        """Args: `hosted` has started, and is stopped with the rest. It wins over any endpoint that matches."""
        self._module = module
        self._hosted = hosted
        self._config = config
        self._changed = asyncio.Event()
        """Set when the hosted functions may be others."""
        self._token = secrets.token_urlsafe(32)
        self._metrics = Metrics(self._snapshot)
        self._ingresses: dict[str, Ingress] = {}
        self._egresses: dict[str, Egress] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then finish what is under way and return when all of it is durable.

        Raises:
            StatefunRuntimeError: The application cannot be started, or a part of it cannot go on.
        """
        async with AsyncExitStack() as stack:
            refuse_savepoint(self._config.data_dir)
            store = RocksDBStore(self._config.data_dir, lock_timeout=self._config.lock_timeout / 1000)
            stack.callback(store.close)
            release_misconfigured(store)
            self._check_and_rename_functions(store)
            recovery = recover(store)
            self._build(store, recovery, stop)
            stack.callback(self._driver.close)
            await self._admin.start()
            stack.push_async_callback(self._admin.stop)
            write_access(self._config.data_dir, Access(self._config.admin_host, self._admin.port, self._token))
            stack.callback(remove_access, self._config.data_dir)
            await self._routes.start()
            stack.push_async_callback(self._routes.stop)
            try:
                await self._start_egresses(recovery)
                await self._start_ingresses(recovery)
                self._status.phase = "running"
                self._driver.wake()
                await self._serve(stop)
            finally:
                await self._stop()

    def _check_and_rename_functions(self, store: RocksDBStore) -> None:
        served = set(self._hosted.functions) | {spec.functions for spec in self._module.endpoints}
        for typename in sorted(served):
            if typename.startswith(f"{OWN_NAMESPACE}/"):
                raise ConfigError(
                    f"{typename} is in the namespace of the runtime's own functions; give it another name"
                )
        for old, new in self._config.aliases.items():
            if old in served:
                raise ConfigError(f"{old} is an alias of {new} and a function of its own; take one of them out")
            moved = rename_function(store, old, new)
            if moved:
                _log.info("%d rows of the function %s are now those of %s", moved, old, new)

    def _build(self, store: RocksDBStore, recovery: Recovery, stop: asyncio.Event) -> None:
        config, module, self._store = self._config, self._module, store
        engine = Engine(recovery, [egress.id for egress in module.egresses], _limits(config), SystemRandom())
        for typename, specs in self._hosted.declared():
            engine.declare(typename, specs)
        self._routes = Routes(engine, self._hosted, module.endpoints, config.max_remote_in_flight)
        clock = EngineClock(SystemClock(), recovery.time)
        self._driver = Driver(engine, store, self._routes.endpoint_of, clock, config.commit_interval / 1000)
        self._serve_requests(engine, store)
        self._sweep = ExpirySweep(engine, store)
        ingress_counts = {component.id: self._metrics.ingress(component.id) for component in module.ingresses}
        egress_counts = {component.id: self._metrics.egress(component.id) for component in module.egresses}
        self._status = Status(self._driver, ingress_counts, egress_counts)
        self._ingresses = {
            c.id: make_ingress(c, self._context(ingress_counts[c.id], recovery)) for c in module.ingresses
        }
        self._egresses = {c.id: make_egress(c, self._context(egress_counts[c.id], recovery)) for c in module.egresses}
        self._feeds = Feeds(self._ingresses, self._status.finished.add)
        status = self._status
        probes = Probes(self._unready, self._metrics.exposition, lambda: module.secrets.masked(status.as_json()))
        self._admin = AdminServer(probes, config.admin_port, config.admin_host)
        actions = Actions(self._admin, self._token)
        self._operations = LiveOperations(self._driver, store)
        actions.add(PATH, operations_action(self._operations.perform))
        Maintenance(config.data_dir, self._driver.checkpoint, self._drain, stop.set).add_to(actions)

    def _serve_requests(self, engine: Engine, store: RocksDBStore) -> None:
        driver, figures = self._driver, self._metrics.requests
        engine.declare(REQUESTS, request_states(self._config.request_retention))
        waiting = Waiting(figures)
        self._routes.add(REQUESTS, RequestEndpoint(waiting, lambda: engine.epoch.number))
        find = partial(find_parked, engine, store)
        self._requests = LiveRequests(waiting, figures, driver.inlet("requests"), find, self._config.aliases)
        driver.when_durable.append(self._requests.durable)
        driver.failure.add_done_callback(self._requests.failed)

    def _context(self, counts: RecordCounts, recovery: Recovery) -> AdapterContext:
        config = self._config
        return AdapterContext(
            counts=counts,
            host=config.http_host,
            max_request_bytes=config.max_request_bytes,
            application_id=config.application_id,
            data_dir=config.data_dir,
            lineage=recovery.lineage,
            epoch=recovery.epoch,
            requests=self._requests,
            reply_timeout=config.reply_timeout / 1000,
            max_reply_timeout=config.max_reply_timeout / 1000,
        )

    def _snapshot(self) -> EngineSnapshot:
        return self._status.snapshot()

    def _unready(self) -> str | None:
        if self._driver.failure.done():
            return "an epoch could not be made durable"
        return None if self._status.phase == "running" else self._status.phase

    async def _start_egresses(self, recovery: Recovery) -> None:
        for name, egress in self._egresses.items():
            sink = recovery.sinks.get(name)
            outlet = self._driver.outgoing.outlet(name, restored=name in recovery.restored_sinks)
            await egress.start(outlet, sink.position if sink else None)
        if recovery.restored_sinks:
            # What was found as it was at the savepoint is this lineage's, durably, before anything is written to it.
            await self._driver.settle()
        self._driver.outgoing.attach(self._egresses)
        for name in recovery.outbox.keys() - self._egresses.keys():
            _log.warning("the egress %s is not in the module any more; its unsent records are kept", name)

    async def _start_ingresses(self, recovery: Recovery) -> None:
        for name, ingress in self._ingresses.items():
            await ingress.start(self._driver.inlet(name), recovery.positions.get(name, {}))

    async def _serve(self, stop: asyncio.Event) -> None:
        """Wait for the stop, or for the first part that cannot go on."""
        stopping = asyncio.create_task(stop.wait(), name="stop")
        waiting: set[asyncio.Task[object]] = {
            stopping,
            asyncio.create_task(self._driver.failed(), name="driver"),
            asyncio.create_task(self._refresh_specs(), name="spec refresh"),
            asyncio.create_task(self._follow_functions(), name="hosted functions"),
            asyncio.create_task(self._sweep_expired(), name="expiry sweep"),
            *(asyncio.create_task(egress.run(), name=name) for name, egress in self._egresses.items()),
            asyncio.create_task(self._feeds.run(), name="ingresses"),
        }
        try:
            while not stopping.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def functions_changed(self) -> None:
        """Take note that the hosted functions may be others, or declare other states."""
        self._changed.set()

    async def _follow_functions(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._routes.host_anew()
            await self._driver.all_durable()
            wrong = find_misconfigured(self._store)
            for start in range(0, len(wrong), MAX_TARGETS):
                targets = tuple(wrong[start : start + MAX_TARGETS])
                await self._operations.perform(Operation(Action.RESUME, targets, "reload"))
            self._driver.wake()

    async def _refresh_specs(self) -> None:
        while self._config.spec_refresh:
            await asyncio.sleep(self._config.spec_refresh / 1000)
            self._routes.ask_for_states()

    async def _sweep_expired(self) -> None:
        while self._config.expiry_sweep:
            await asyncio.sleep(1)
            if self._sweep.step(self._config.expiry_sweep):
                self._driver.wake()

    def _pause(self) -> None:
        self._status.phase = "draining"
        self._requests.stop()
        self._driver.pause()

    async def _drain(self) -> None:
        """Take nothing more; what is here goes on."""
        self._pause()
        await self._feeds.stop()

    async def _stop(self) -> None:
        self._pause()
        try:
            await self._feeds.stop()
            await self._finish_calls()
            await self._driver.settle()
        finally:
            self._driver.outgoing.detach()
            for egress in self._egresses.values():
                await egress.stop()
        await self._driver.settle()
        self._status.phase = "stopped"

    async def _finish_calls(self) -> None:
        try:
            async with asyncio.timeout(self._config.stop_timeout / 1000):
                await self._driver.finish_calls()
        except TimeoutError:
            _log.warning("calls are still under way; they are abandoned and will be made again after the next start")


def _limits(config: RuntimeConfig) -> Limits:
    return Limits(
        max_batch=config.max_batch,
        max_in_flight=config.max_in_flight,
        high_water=config.high_water,
        outbox_memory=config.outbox_memory,
        outbox_limit=config.outbox_limit,
        max_queued=config.max_queued,
        max_queued_bytes=config.max_queued_bytes,
        cache_bytes=config.cache_bytes,
        delayed_window=config.delayed_window,
        max_epoch=config.max_epoch,
        disk_quota=config.disk_quota,
        retry_min=config.retry_min,
        retry_max=config.retry_max,
        max_attempts=config.max_attempts,
        max_age=config.max_age,
        aliases=config.aliases,
        policies={pattern: _policy(function, config) for pattern, function in config.functions.items()},
    )


def _policy(function: FunctionSettings, config: RuntimeConfig) -> FailurePolicy:
    return FailurePolicy(
        on_failure=OnFailure(function.on_failure),
        max_attempts=function.max_attempts if function.max_attempts is not None else config.max_attempts,
        max_age=function.max_age if function.max_age is not None else config.max_age,
        bisect=function.bisects,
    )
