"""A mailbox: the messages that wait for one address, and the state they will find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from statefun_runtime.engine.function_type import FunctionType
    from statefun_runtime.epoch import Epoch, Parked, StateValues
    from statefun_runtime.interfaces import Address, Batch, Message, Payload

MAILBOX_BYTES: Final = 800
"""About what an address costs in memory beside its values and messages."""


class Mailbox:
    """One address in memory.

    It is in one of these situations, and whoever ends one looks at what waits again: `loading` its state, `idle`
    (nothing waits), `ready` (for its turn), in flight, `stuck` (backing off, or parked), or waiting for its next page.
    `in_flight` tells a current reply from a stale one.

    Of the messages that wait, `queue` holds the first ones, up to the sequence `paged`. Those after it, up to `newest`,
    are in the store or in an epoch on its way there.
    """

    __slots__ = (
        "address",
        "attempts",
        "changed",
        "failing_since",
        "function_type",
        "idle",
        "in_flight",
        "loading",
        "newest",
        "paged",
        "parked",
        "queue",
        "ready",
        "rounds",
        "size",
        "stuck",
        "suspects",
        "used",
        "values",
        "written",
    )

    def __init__(self, address: Address, function_type: FunctionType) -> None:
        self.address = address
        self.function_type = function_type
        self.queue: list[Message] = []
        self.paged = 0
        self.newest = 0
        self.idle = False
        self.ready = False
        self.loading = True
        self.stuck = False
        self.in_flight: Batch | None = None
        self.values: StateValues = {}
        self.size = MAILBOX_BYTES
        """Bytes in memory, without the messages."""
        self.written = 0
        """The last epoch that changed `values`."""
        self.changed = 0
        """The last epoch that changed anything of this address; until it is durable the mailbox stays in memory."""
        self.used = True
        """Since the last sweep."""
        self.attempts = 0
        self.rounds = 0
        self.failing_since = 0
        self.suspects = 0
        """The first messages of the queue, among which there is one that fails for good: they are being bisected."""
        self.parked: Parked | None = None

    @property
    def is_failing(self) -> bool:
        """Whether its last call had no effect, or only some messages of one that failed are through since."""
        return bool(self.attempts or self.rounds or self.suspects)

    def take(self, max_messages: int, max_bytes: int) -> list[Message]:
        """Remove the next messages for one call, in order: at least one."""
        queue = self.queue
        if len(queue) == 1:
            self.queue = []
            return queue
        count = _fitting(queue, max_messages, max_bytes)
        self.queue = queue[count:]
        return queue[:count]

    def write(self, name: str, payload: Payload | None, now: int, epoch: Epoch) -> None:
        """Set a state value, or delete it; the first write of an epoch copies, since a cut epoch must not change."""
        values = self.values
        if self.written != epoch.number:
            values = self.values = dict(values)
            self.written = self.changed = epoch.number
            epoch.state[self.address] = values
        old = values.get(name)
        grown = -len(old[1]) if old is not None else 0
        if payload is not None:
            values[name] = (now, payload)
            grown += len(payload)
        elif old is not None:
            del values[name]
        if grown:
            self.size += grown
            self.function_type.resident_bytes += grown


def _fitting(queue: list[Message], max_messages: int, max_bytes: int) -> int:
    size = 0
    for count, message in enumerate(queue):
        size += len(message[3])
        if count == max_messages or (size > max_bytes and count):
            return count
    return len(queue)
