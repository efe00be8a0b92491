"""A mailbox: the messages that wait for one address, and the state they will find."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statefun_runtime.engine.function_type import FunctionType
    from statefun_runtime.epoch import Epoch, Parked, StateValues
    from statefun_runtime.interfaces import Address, Batch, Message, Payload


class Mailbox:
    """One address in memory.

    `idle` means that a message may make it ready. Otherwise it is loading its state, ready, in flight, backing off or
    parked, and whoever ends that state looks at `queue` again. `in_flight` tells a current reply from a stale one.
    """

    __slots__ = (
        "address",
        "attempts",
        "failing_since",
        "function_type",
        "idle",
        "in_flight",
        "loading",
        "parked",
        "queue",
        "rounds",
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
        self.idle = False
        self.in_flight: Batch | None = None
        self.loading = True
        self.values: StateValues = {}
        self.written = 0
        """The last epoch that changed `values`."""
        self.used = True
        """Since the last sweep."""
        self.attempts = 0
        self.rounds = 0
        self.failing_since = 0
        self.suspects = 0
        """The first messages of the queue, among which there is one that fails for good: they are being bisected."""
        self.stuck = False
        """Backing off or parked: what waits here is not runnable."""
        self.parked: Parked | None = None

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
            self.written = epoch.number
            epoch.state[self.address] = values
        if payload is None:
            values.pop(name, None)
        else:
            values[name] = (now, payload)


def _fitting(queue: list[Message], max_messages: int, max_bytes: int) -> int:
    size = 0
    for count, message in enumerate(queue):
        size += len(message[3])
        if count == max_messages or (size > max_bytes and count):
            return count
    return len(queue)
