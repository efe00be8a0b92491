"""Whose turn it is: which addresses are called next, which back off, and which are parked."""

from heapq import heappop, heappush

from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.mailboxes import Mailboxes
from statefun_runtime.epoch import Epoch, Parked
from statefun_runtime.interfaces import Batch, Message


class Dispatcher:
    """Orders calls; at most one batch of an address is out."""

    def __init__(self, mailboxes: Mailboxes, limits: Limits) -> None:
        self._mailboxes = mailboxes
        self._limits = limits
        self._wakeups: list[tuple[int, int, Mailbox]] = []
        self._wakeup_order = 0

    def next_batches(self, limit: int, now: int, epoch: Epoch) -> list[Batch]:
        """The next calls, at most `limit` for each function type."""
        batches: list[Batch] = []
        for function_type in self._mailboxes.types.values():
            ready = function_type.ready
            if not ready or function_type.paused_until > now:
                continue
            count = min(len(ready), function_type.window - function_type.in_flight, limit)
            batches += [self._batch(ready.popleft(), now, epoch) for _ in range(count)]
        return batches

    def _batch(self, mailbox: Mailbox, now: int, epoch: Epoch) -> Batch:
        function_type = mailbox.function_type
        mailbox.ready = False
        function_type.runnable -= len(mailbox.queue)
        most = max(1, mailbox.suspects // 2) if mailbox.suspects else function_type.max_batch
        messages = mailbox.take(most, self._limits.max_batch_bytes)
        batch = Batch(mailbox.address, function_type.view(mailbox, now, epoch), messages)
        batch.attempt = mailbox.attempts + 1
        mailbox.in_flight = batch
        mailbox.used = True
        function_type.in_flight += 1
        return batch

    def returned(self, batch: Batch) -> Mailbox | None:
        """The mailbox of a batch that was answered, which is not in flight any more; `None` if the answer is stale."""
        mailbox = self._mailboxes.types[batch.target[0]].mailboxes.get(batch.target[1])
        if mailbox is None or mailbox.in_flight is not batch:
            return None
        mailbox.in_flight = None
        mailbox.function_type.in_flight -= 1
        return mailbox

    def put_back(self, mailbox: Mailbox, messages: list[Message]) -> None:
        """Put messages that had no effect at the front of their mailbox again."""
        mailbox.queue[:0] = messages

    # ------------------------------------------------------------------------------------------------------- the stuck

    def back_off(self, mailbox: Mailbox, until: int) -> None:
        """Call this address again at `until`, not before."""
        self._mailboxes.stick(mailbox)
        self._wakeup_order += 1
        heappush(self._wakeups, (until, self._wakeup_order, mailbox))

    def park(self, mailbox: Mailbox, parked: Parked, epoch: Epoch) -> None:
        """Call this address no more until it is resumed."""
        mailbox.parked = epoch.parked[mailbox.address] = parked
        mailbox.changed = epoch.number
        mailbox.function_type.parked += 1
        self._mailboxes.stick(mailbox)

    def resume(self, mailbox: Mailbox, epoch: Epoch) -> None:
        """Call a parked address again."""
        mailbox.parked = epoch.parked[mailbox.address] = None
        mailbox.changed = epoch.number
        mailbox.function_type.parked -= 1
        self._unstick(mailbox)

    def _unstick(self, mailbox: Mailbox) -> None:
        mailbox.stuck = False
        self._mailboxes.settle(mailbox)

    def wake(self, now: int) -> None:
        """End the back-offs that are over."""
        while self._wakeups and self._wakeups[0][0] <= now:
            mailbox = heappop(self._wakeups)[2]
            if mailbox.stuck:
                self._unstick(mailbox)

    def next_wakeup(self, now: int) -> int | None:
        """When a back-off or a pause ends next."""
        pauses = [t.paused_until for t in self._mailboxes.types.values() if t.paused_until > now]
        return min([*pauses, *(wakeup[0] for wakeup in self._wakeups[:1])], default=None)

    def unload_backing_off(self) -> None:
        """Leave the messages of addresses that back off to the store."""
        for _, _, mailbox in self._wakeups:
            if mailbox.stuck:
                self._mailboxes.unload(mailbox)
