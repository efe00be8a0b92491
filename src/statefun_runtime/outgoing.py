"""Hands the records of durable epochs to egresses, as much as each has room for, and hears what went out."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.rejection import reject_from
from statefun_runtime.interfaces import Egress, OutboxBatch, Outlet, Rejected, Store
from statefun_runtime.store.outbox import read_batch

_log = logging.getLogger(__name__)


class Outgoing:
    """The egresses of a running application."""

    def __init__(
        self, engine: Engine, store: Store, wake: Callable[[], None], durable: Callable[[int], Awaitable[None]]
    ) -> None:
        """Begin closed; `wake` asks for a turn, in which `hand_out` is called, `durable` waits for an epoch."""
        self._engine = engine
        self._store = store
        self._wake = wake
        self._durable = durable
        self._egresses: dict[str, Egress] = {}
        self._full: set[str] = set()
        """Egresses that were reported as full."""
        engine.outbox.is_open = False

    def outlet(self, egress: str, *, restored: bool = False) -> Outlet:
        """The way back for one egress; `restored` tells that its position is that of a savepoint."""
        return _Outlet(self, egress, restored)

    def attach(self, egresses: Mapping[str, Egress]) -> None:
        """Hand the records of durable epochs to these egresses from now on, those that wait on disk first."""
        self._egresses = dict(egresses)
        self._engine.outbox.is_open = True

    def detach(self) -> None:
        """Hand nothing more to egresses; it stays in the outbox."""
        self._engine.outbox.is_open = False

    def write(self, batches: Iterable[tuple[str, OutboxBatch]]) -> None:
        """Hand out what has just become durable."""
        for name, batch in batches:
            self._egresses[name].write(batch)

    def hand_out(self) -> None:
        """Give each egress that has room an epoch that waits on disk; those after it have the next turn."""
        for name, egress in self._egresses.items():
            epoch = self._engine.outbox.next(name)
            if epoch is not None:
                egress.write(read_batch(self._store, name, epoch))
                self._wake()
        self._report_full()

    def released(self, egress: str, epoch: int, position: bytes | None) -> None:
        """Take note that an egress has written everything up to `epoch`."""
        self._engine.released(egress, epoch, position)
        # There may be room for more, and ingresses may have waited for it. Before all egresses have started nothing
        # must begin: what they say then belongs to the first epoch.
        if self._engine.outbox.is_open:
            self._wake()

    async def reject(self, egress: str, batch: OutboxBatch, records: Mapping[int, Rejected]) -> OutboxBatch:
        """Make records of a batch dead letters; return what is left of it once that is durable."""
        left = reject_from(self._engine, egress, batch, records)
        epoch = self._engine.epoch.number
        self._wake()
        await self._durable(epoch)
        return left

    def _report_full(self) -> None:
        outbox = self._engine.outbox
        for name in outbox.full - self._full:
            _log.warning(
                "the egress %s has %d bytes of records that did not go out; ingresses pause until it has fewer",
                name,
                outbox.size(name),
            )
        for name in self._full - outbox.full:
            _log.info("the egress %s has room again: ingresses go on", name)
        self._full = set(outbox.full)


@dataclass(frozen=True, slots=True)
class _Outlet(Outlet):
    outgoing: Outgoing
    egress: str
    from_savepoint: bool

    @property
    def restored(self) -> bool:
        return self.from_savepoint

    def released(self, epoch: int, position: bytes | None = None) -> None:
        self.outgoing.released(self.egress, epoch, position)

    async def reject(self, batch: OutboxBatch, records: Mapping[int, Rejected]) -> OutboxBatch:
        return await self.outgoing.reject(self.egress, batch, records)
