"""Which address may be called next: mailboxes, their state in memory, and who is ready."""

from collections import deque
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from statefun_runtime.engine.function_type import FunctionType
from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.epoch import Epoch, StateValues
from statefun_runtime.interfaces import Address, Batch, Message


class Dispatcher:
    """Opens mailboxes, orders calls and closes mailboxes that are idle; at most one batch of an address is out."""

    def __init__(self, limits: Limits) -> None:
        self.types: dict[str, FunctionType] = {}
        self.queued = 0
        """Messages in memory that are not yet consumed."""
        self.stuck = 0
        """Those of them whose address is backing off or parked."""
        self.addresses = 0
        self._limits = limits
        self._loading: list[Mailbox] = []
        self._wakeups: list[tuple[int, int, Mailbox]] = []
        self._wakeup_order = 0
        self._resident: deque[Mailbox] = deque()

    def type_of(self, typename: str) -> FunctionType:
        """The function type of this name, made when first asked for."""
        function_type = self.types.get(typename)
        if function_type is None:
            function_type = FunctionType(typename, self._limits.max_in_flight, self._limits.max_batch)
            self.types[typename] = function_type
        return function_type

    def mailbox_of(self, address: Address) -> Mailbox | None:
        """The mailbox of an address, if it is in memory."""
        function_type = self.types.get(address[0])
        return function_type.mailboxes.get(address[1]) if function_type else None

    def deliver(self, message: Message) -> None:
        """Put a message at the end of its mailbox."""
        address = message[1]
        function_type = self.types.get(address[0]) or self.type_of(address[0])
        mailbox = function_type.mailboxes.get(address[1]) or self._open(address, function_type)
        mailbox.queue.append(message)
        self.queued += 1
        function_type.accepted += 1
        if mailbox.idle:
            mailbox.idle = False
            function_type.ready.append(mailbox)
        elif mailbox.stuck:
            self.stuck += 1

    def open(self, address: Address) -> Mailbox:
        """The mailbox of an address, brought into memory if need be."""
        return self.mailbox_of(address) or self._open(address, self.type_of(address[0]))

    def _open(self, address: Address, function_type: FunctionType) -> Mailbox:
        mailbox = function_type.mailboxes[address[1]] = Mailbox(address, function_type)
        self.addresses += 1
        self._resident.append(mailbox)
        self._loading.append(mailbox)
        return mailbox

    def take_loads(self) -> list[Mailbox]:
        """The mailboxes whose state must be loaded; answer each with `loaded`."""
        loading, self._loading = self._loading, []
        return loading

    def loaded(self, mailbox: Mailbox, values: StateValues) -> None:
        """Take the state of an address; what waits for it may be called."""
        mailbox.values = values
        mailbox.loading = False
        if not mailbox.stuck:
            self.settle(mailbox)

    def settle(self, mailbox: Mailbox) -> None:
        """Note that nothing of this mailbox is out any more: what waits is next."""
        if mailbox.queue:
            mailbox.function_type.ready.append(mailbox)
        else:
            mailbox.idle = True

    def next_batches(self, limit: int, now: int, epoch: Epoch) -> list[Batch]:
        """The next calls, at most `limit` for each function type."""
        batches: list[Batch] = []
        for function_type in self.types.values():
            if not function_type.ready or function_type.paused_until > now:
                continue
            count = min(len(function_type.ready), function_type.window - function_type.in_flight, limit)
            batches += [self._batch(function_type.ready.popleft(), now, epoch) for _ in range(count)]
        return batches

    def _batch(self, mailbox: Mailbox, now: int, epoch: Epoch) -> Batch:
        function_type = mailbox.function_type
        most = max(1, mailbox.suspects // 2) if mailbox.suspects else function_type.max_batch
        messages = mailbox.take(most, self._limits.max_batch_bytes)
        batch = Batch(mailbox.address, function_type.view(mailbox, now, epoch), messages)
        batch.attempt = mailbox.attempts + 1
        mailbox.in_flight = batch
        mailbox.used = True
        function_type.in_flight += 1
        return batch

    def returned(self, batch: Batch) -> Mailbox | None:
        """Take back the mailbox of a batch that was answered; `None` if the answer is stale."""
        mailbox = self.types[batch.target[0]].mailboxes.get(batch.target[1])
        if mailbox is None or mailbox.in_flight is not batch:
            return None
        mailbox.in_flight = None
        mailbox.function_type.in_flight -= 1
        return mailbox

    def put_back(self, mailbox: Mailbox, messages: list[Message]) -> None:
        """Put messages that had no effect at the front of their mailbox again."""
        mailbox.queue[:0] = messages

    def remove(self, mailbox: Mailbox, count: int) -> list[Message]:
        """Take the first messages out of a mailbox that is not in flight, never to be delivered."""
        removed, mailbox.queue = mailbox.queue[:count], mailbox.queue[count:]
        self.queued -= len(removed)
        if mailbox.stuck:
            self.stuck -= len(removed)
        return removed

    def back_off(self, mailbox: Mailbox, until: int) -> None:
        """Call this address again at `until`, not before."""
        self._stick(mailbox)
        self._wakeup_order += 1
        heappush(self._wakeups, (until, self._wakeup_order, mailbox))

    def park(self, mailbox: Mailbox) -> None:
        """Call this address no more until it is resumed."""
        self._stick(mailbox)
        mailbox.function_type.parked += 1

    def resume(self, mailbox: Mailbox) -> None:
        """Call a parked address again."""
        mailbox.function_type.parked -= 1
        self._unstick(mailbox)

    def _stick(self, mailbox: Mailbox) -> None:
        mailbox.idle = False
        mailbox.stuck = True
        self.stuck += len(mailbox.queue)

    def _unstick(self, mailbox: Mailbox) -> None:
        mailbox.stuck = False
        self.stuck -= len(mailbox.queue)
        if not mailbox.loading:
            self.settle(mailbox)

    def wake(self, now: int) -> None:
        """End the back-offs that are over."""
        while self._wakeups and self._wakeups[0][0] <= now:
            self._unstick(heappop(self._wakeups)[2])

    def next_wakeup(self, now: int) -> int | None:
        """When a back-off or a pause ends next."""
        pauses = [t.paused_until for t in self.types.values() if t.ready and t.paused_until > now]
        return min([*pauses, *(wakeup[0] for wakeup in self._wakeups[:1])], default=None)

    def sweep(self, durable: int) -> None:
        """Close idle mailboxes beyond the limit whose state is on disk, those not used since the last sweep first."""
        excess = self.addresses - self._limits.cached_addresses
        for _ in range(min(2 * excess, len(self._resident))):
            mailbox = self._resident.popleft()
            if mailbox.idle and not mailbox.used and mailbox.written <= durable:
                del mailbox.function_type.mailboxes[mailbox.address[1]]
                self.addresses -= 1
            else:
                mailbox.used = False
                self._resident.append(mailbox)
            if self.addresses <= self._limits.cached_addresses:
                return

    def mailboxes(self) -> Iterator[Mailbox]:
        """All mailboxes in memory."""
        for function_type in self.types.values():
            yield from function_type.mailboxes.values()

    def restore(self, messages: Iterable[Message]) -> None:
        """Deliver durable messages, in the order of their sequences for each address."""
        for message in messages:
            self.deliver(message)
