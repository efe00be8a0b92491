"""Which addresses and which of their messages are in memory; all others are in the store, or on their way to it."""

from collections import deque
from collections.abc import Iterable, Iterator

from statefun_runtime.engine.function_type import FunctionType
from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.mailbox import MAILBOX_BYTES, Mailbox
from statefun_runtime.engine.reads import ColdAddress, ColdRange, Page, Stored
from statefun_runtime.epoch import Epoch, Pending
from statefun_runtime.interfaces import Address, Message

_COLD_ADDRESSES = 256
"""Addresses of one type that one read brings into memory."""
_COLD_WHEN_FULL = 16
"""The same when the memory is full of what other types wait for."""
_SWEPT = 20_000
"""Mailboxes that one sweep looks at: some milliseconds at most."""


class Mailboxes:
    """Opens mailboxes, fills them as there is room, and closes those that have nothing to do."""

    def __init__(self, limits: Limits, durable: int) -> None:
        """Begin without addresses; messages up to the sequence `durable` are in the store."""
        self.types: dict[str, FunctionType] = {}
        self.durable = durable
        """The last sequence known to be in the store."""
        self.queued = 0
        """Messages in memory that are not yet consumed."""
        self.queued_bytes = 0
        self.addresses = 0
        """Mailboxes in memory."""
        self._limits = limits
        self._unloaded: list[Mailbox] = []
        self._unpaged: list[Mailbox] = []
        self._starved: list[Mailbox] = []
        """Mailboxes whose next messages are not yet in the store."""
        self._resident: deque[Mailbox] = deque()

    def type_of(self, typename: str) -> FunctionType:
        """The function type of this name, made when first asked for."""
        function_type = self.types.get(typename)
        if function_type is None:
            function_type = FunctionType(typename, self._limits.max_in_flight, self._limits.max_batch)
            self.types[typename] = function_type
        return function_type

    def find(self, address: Address) -> Mailbox | None:
        """The mailbox of an address, if it is in memory."""
        function_type = self.types.get(address[0])
        return function_type.mailboxes.get(address[1]) if function_type else None

    def in_memory(self) -> Iterator[Mailbox]:
        """All mailboxes in memory."""
        for function_type in self.types.values():
            yield from function_type.mailboxes.values()

    @property
    def has_expiry(self) -> bool:
        """Whether any state expires."""
        return any(each.has_expiry for each in self.types.values())

    @property
    def pending_bytes(self) -> int:
        """Of all messages that wait or are in flight, in memory or not."""
        return sum(each.pending_bytes for each in self.types.values())

    @property
    def runnable(self) -> int:
        """Messages in memory that wait for nothing but their turn."""
        return sum(each.runnable for each in self.types.values() if not (each.unreachable or each.is_saturated))

    def is_behind(self, typename: str) -> bool:
        """Whether too many messages of a function type could run now if it were called faster."""
        function_type = self.types.get(typename)
        if function_type is None or function_type.unreachable:
            return False
        limits = self._limits
        return function_type.runnable >= limits.high_water or len(function_type.ready) >= limits.max_ready

    def pending(self) -> dict[str, Pending]:
        """What waits or is in flight, by typename."""
        waiting = (each for each in self.types.values() if each.pending)
        return {each.typename: Pending(each.pending, each.pending_bytes) for each in waiting}

    # ------------------------------------------------------------------------------------------------------- messages

    def deliver(self, message: Message, epoch: Epoch) -> None:
        """Put a message at the end of its mailbox; whether in memory depends on the room there is."""
        sequence, (typename, identifier), _, payload = message
        function_type = self.types.get(typename) or self.type_of(typename)
        size = len(payload)
        function_type.pending += 1
        function_type.pending_bytes += size
        mailbox = function_type.mailboxes.get(identifier)
        if mailbox is None:
            if self._keeps_out(function_type) or function_type.is_cold(identifier):
                function_type.spill(identifier, sequence, epoch)
                return
            mailbox = self._open(message[1], function_type)
        elif mailbox.newest > mailbox.paged or mailbox.parked or (mailbox.queue and self._is_long(mailbox.queue)):
            mailbox.newest = sequence
            return
        mailbox.newest = mailbox.paged = sequence
        mailbox.queue.append(message)
        self.queued += 1
        self.queued_bytes += size
        if mailbox.ready or mailbox.loading:
            function_type.runnable += 1
        elif mailbox.idle:
            mailbox.idle = False
            self.make_ready(mailbox)

    def consumed(self, mailbox: Mailbox, messages: list[Message], epoch: Epoch) -> None:
        """Note that these messages of a mailbox, which are no longer in its queue, wait no more."""
        size = epoch.consume(messages)
        count = len(messages)
        mailbox.changed = epoch.number
        self.queued -= count
        self.queued_bytes -= size
        mailbox.function_type.pending -= count
        mailbox.function_type.pending_bytes -= size

    def _is_long(self, queue: list[Message]) -> bool:
        return self.is_full or len(queue) >= self._limits.page

    @property
    def is_full(self) -> bool:
        """Whether there are as many messages in memory as there may be."""
        return self.queued >= self._limits.max_queued or self.queued_bytes >= self._limits.max_queued_bytes

    def _keeps_out(self, function_type: FunctionType) -> bool:
        """Whether an address that is not in memory had better stay out of it.

        A function type of which nothing is runnable is let in even when the memory is full of what others wait for.
        """
        if self.is_full and function_type.runnable:
            return True
        if function_type.unreachable:
            return bool(function_type.ready)
        most = self._limits.crowded * self._limits.high_water
        return function_type.is_saturated and function_type.runnable >= most

    def open(self, address: Address, epochs: Iterable[Epoch]) -> Mailbox:
        """The mailbox of an address, brought into memory if need be; what waits for it in the store follows.

        Args:
            address: The address.
            epochs: Those not yet durable: they tell what is on its way to the store.
        """
        mailbox = self.find(address)
        if mailbox is None:
            mailbox = self._open(address, self.type_of(address[0]))
            born = [epoch.spilled.get(address[0], {}).get(address[1], 0) for epoch in epochs]
            mailbox.newest = max(1, *born)  # at least 1, so that a page is read: it tells
        return mailbox

    def _open(self, address: Address, function_type: FunctionType) -> Mailbox:
        mailbox = function_type.mailboxes[address[1]] = Mailbox(address, function_type)
        self.addresses += 1
        function_type.resident_bytes += MAILBOX_BYTES
        self._resident.append(mailbox)
        self._unloaded.append(mailbox)
        return mailbox

    # ---------------------------------------------------------------------------------------------------------- reads

    def take_states(self) -> list[Mailbox]:
        """The mailboxes whose state must be loaded; answer each with `loaded`."""
        mailboxes, self._unloaded = self._unloaded, []
        return mailboxes

    def loaded(self, mailbox: Mailbox, stored: Stored) -> None:
        """Take what the store holds for an address; what waits for it may be called."""
        mailbox.values = stored.values
        size = sum(len(payload) for _, payload in stored.values.values())
        mailbox.size += size
        mailbox.function_type.resident_bytes += size
        mailbox.loading = False
        mailbox.function_type.runnable -= len(mailbox.queue)
        if stored.parked is None:
            self.settle(mailbox)
            return
        mailbox.parked = stored.parked
        self.stick(mailbox)
        mailbox.paged = 0

    def take_pages(self) -> list[Page]:
        """The mailboxes whose next messages must be read; answer each with `paged_in`."""
        mailboxes, self._unpaged = self._unpaged, []
        return [Page(mailbox, mailbox.paged, self._limits.page, self.durable) for mailbox in mailboxes]

    def paged_in(self, page: Page, messages: list[Message], *, is_last: bool) -> None:
        """Take the messages of a page; `is_last` tells that the store had no others then."""
        mailbox = page.mailbox
        if not messages and mailbox.newest > page.durable:
            # What was read may be older than what has become durable since.
            (self._unpaged if self.durable > page.durable else self._starved).append(mailbox)
            return
        self.filled(page, messages, is_last=is_last)
        self.settle(mailbox)

    def filled(self, page: Page, messages: list[Message], *, is_last: bool) -> None:
        """The same for a mailbox that goes on to wait."""
        mailbox = page.mailbox
        self._fill(mailbox, messages, is_last=is_last)
        if is_last and mailbox.newest <= page.durable:
            mailbox.newest = mailbox.paged

    def _fill(self, mailbox: Mailbox, messages: list[Message], *, is_last: bool) -> None:
        mailbox.queue += messages
        self.queued += len(messages)
        self.queued_bytes += sum(len(message[3]) for message in messages)
        if messages:
            mailbox.paged = messages[-1][0]
        mailbox.newest = max(mailbox.newest, mailbox.paged if is_last else mailbox.paged + 1)

    def take_cold(self) -> list[ColdRange]:
        """The ranges of cold addresses that should come into memory now; answer each with `warmed`."""
        ranges: list[ColdRange] = []
        for function_type in self.types.values():
            start = function_type.cold_from
            if start is None or self._keeps_out(function_type) or function_type.runnable >= self._limits.high_water:
                continue
            probe = function_type.unreachable > 0
            if probe and function_type.in_flight:
                continue
            few = _COLD_ADDRESSES if not self.is_full else _COLD_WHEN_FULL
            ranges.append(ColdRange(function_type, start, 1 if probe else few))
        return ranges

    def warmed(self, cold: ColdRange, addresses: list[ColdAddress], last: str | None, epochs: Iterable[Epoch]) -> None:
        """Take the addresses of a range, up to the id `last`, or all to the end, and what `epochs` add to them."""
        function_type = cold.function_type
        born: dict[str, int] = {}
        for epoch in epochs:
            for identifier, newest in epoch.spilled.get(function_type.typename, {}).items():
                if identifier >= cold.start and (last is None or identifier <= last):
                    born[identifier] = max(newest, born.get(identifier, 0))
        function_type.passed(last)
        for identifier, messages, is_last in addresses:
            if identifier not in function_type.mailboxes:
                mailbox = self._open((function_type.typename, identifier), function_type)
                mailbox.newest = born.pop(identifier, 0)
                self._fill(mailbox, messages, is_last=is_last)
                function_type.runnable += len(messages)
        for identifier, newest in born.items():
            if identifier not in function_type.mailboxes:
                self._open((function_type.typename, identifier), function_type).newest = newest

    # ------------------------------------------------------------------------------------------------------ situations

    def settle(self, mailbox: Mailbox) -> None:
        """Note that nothing of this mailbox is out any more: what waits is next."""
        if mailbox.queue:
            self.make_ready(mailbox)
        elif mailbox.newest > mailbox.paged:
            self._unpaged.append(mailbox)
        else:
            mailbox.idle = True

    def make_ready(self, mailbox: Mailbox, *, first: bool = False) -> None:
        """Let a mailbox wait for its turn, behind the others of its type or before them."""
        function_type = mailbox.function_type
        mailbox.ready = True
        function_type.runnable += len(mailbox.queue)
        if first:
            function_type.ready.appendleft(mailbox)
        else:
            function_type.ready.append(mailbox)

    def stick(self, mailbox: Mailbox) -> None:
        """Let a mailbox wait for its back-off to end, or to be resumed."""
        mailbox.stuck = True
        if mailbox.parked or self.is_full:
            self.unload(mailbox)

    def unload(self, mailbox: Mailbox) -> None:
        """Leave the messages of a mailbox to the store."""
        queue, mailbox.queue = mailbox.queue, []
        if queue:
            self.queued -= len(queue)
            self.queued_bytes -= sum(len(message[3]) for message in queue)
            mailbox.paged = queue[0][0] - 1

    def remove(self, mailbox: Mailbox, count: int, epoch: Epoch) -> list[Message]:
        """Take the first messages out of a mailbox that is neither ready nor in flight, never to be delivered."""
        removed, mailbox.queue = mailbox.queue[:count], mailbox.queue[count:]
        self.consumed(mailbox, removed, epoch)
        return removed

    # -------------------------------------------------------------------------------------------------------- memory

    def committed(self, sequence: int, open_epoch: Epoch) -> None:
        """Take note that what came before the open epoch, up to `sequence`, is durable.

        More can be read, and more can leave the memory.
        """
        self.durable = sequence
        self._unpaged += self._starved
        self._starved = []
        if self.is_full:
            self._shed(open_epoch)
        excess = sum(function_type.resident_bytes for function_type in self.types.values()) - self._limits.cache_bytes
        if excess > 0:
            self._sweep(excess, open_epoch)

    def _shed(self, epoch: Epoch) -> None:
        """Leave to the store what need not be in memory since nobody answers at its endpoint."""
        for function_type in self.types.values():
            if function_type.unreachable:
                for mailbox in list(function_type.ready):
                    if mailbox.changed < epoch.number:
                        self._close(mailbox, epoch)
                function_type.drop_closed()

    def _sweep(self, excess: int, epoch: Epoch) -> None:
        """Close mailboxes that are durable and have nothing to do, those not used since the last sweep first."""
        called_off: set[FunctionType] = set()
        for _ in range(min(_SWEPT, len(self._resident))):
            mailbox = self._resident.popleft()
            if mailbox.changed < epoch.number and _may_leave(mailbox):
                if mailbox.ready:
                    called_off.add(mailbox.function_type)
                self._close(mailbox, epoch)
                excess -= mailbox.size
                if excess <= 0:
                    break
            else:
                mailbox.used = False
                self._resident.append(mailbox)
        for function_type in called_off:
            function_type.drop_closed()

    def _close(self, mailbox: Mailbox, epoch: Epoch) -> None:
        function_type, (typename, identifier) = mailbox.function_type, mailbox.address
        if mailbox.ready:
            mailbox.ready = False
            function_type.runnable -= len(mailbox.queue)
        self.unload(mailbox)
        mailbox.stuck = False
        del function_type.mailboxes[identifier]
        self.addresses -= 1
        function_type.resident_bytes -= mailbox.size
        if mailbox.parked is not None:
            epoch.spilled.setdefault(typename, {})[identifier] = mailbox.newest
        elif mailbox.newest > mailbox.paged:
            function_type.spill(identifier, mailbox.newest, epoch)


def _may_leave(mailbox: Mailbox) -> bool:
    if mailbox.idle:
        return not mailbox.used
    return mailbox.stuck or (mailbox.ready and mailbox.function_type.unreachable > 0)
