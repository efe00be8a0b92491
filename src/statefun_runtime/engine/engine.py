"""The engine's face: messages in, calls out, effects applied, epochs cut. All of it in memory and without I/O."""

from collections.abc import Iterable, Sequence
from random import Random

from statefun_runtime.engine.delayed import DelayedMessages
from statefun_runtime.engine.dispatcher import Dispatcher
from statefun_runtime.engine.failures import Failures
from statefun_runtime.engine.function_type import FunctionType
from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.outbox import Outbox
from statefun_runtime.epoch import DeadLetter, DelayedMessage, Epoch, LetterKind, OutboxEntry, Recovery, StateValues
from statefun_runtime.interfaces import (
    Address,
    Arrival,
    Batch,
    Cancellation,
    DelayedSend,
    Effects,
    EgressRecord,
    Failure,
    FailureKind,
    MissingStates,
    OutboxBatch,
    Payload,
    Reply,
    StateSpec,
)


class Engine:
    """Runs one application from its last durable epoch.

    The owner calls `tick` when time has passed, answers `take_loads` with `loaded`, sends the batches of
    `next_batches` to endpoints and their replies to `reply`, and commits what `cut` returns: one epoch at a time,
    answered with `committed`. Only then may it acknowledge what was accepted in it, and release its egress records.
    """

    def __init__(self, recovery: Recovery, egresses: Iterable[str], limits: Limits, random: Random) -> None:
        self.lineage = recovery.lineage
        self.durable = recovery.epoch
        """The last epoch known to be on disk."""
        self.now = recovery.time
        self.epoch = Epoch(recovery.epoch + 1)
        """The open epoch."""
        self.delayed = DelayedMessages()
        self.dispatcher = Dispatcher(limits)
        self._limits = limits
        self.failures = Failures(self.dispatcher, limits, random)
        self._egresses = frozenset(egresses)
        self.outbox = Outbox(recovery.outbox, self._egresses, limits)
        self.positions = {ingress: dict(partitions) for ingress, partitions in recovery.positions.items()}
        """The durable positions by ingress and partition."""
        self._sequence = recovery.sequence
        self._restore(recovery)

    def _restore(self, recovery: Recovery) -> None:
        for typename, specs in recovery.specs.items():
            self.dispatcher.type_of(typename).declare(specs)
        for address, parked in recovery.parked.items():
            mailbox = self.dispatcher.open(address)
            mailbox.parked = parked
            self.dispatcher.park(mailbox)
        self.dispatcher.restore(recovery.messages)
        for message in recovery.delayed:
            self.delayed.restore(message)

    # ------------------------------------------------------------------------------------------------------- messages

    @property
    def runnable(self) -> int:
        """Messages in memory that wait for nothing but their turn."""
        return self.dispatcher.queued - self.dispatcher.stuck

    @property
    def wants_more(self) -> bool:
        """Whether ingresses may hand in messages."""
        return self.runnable < self._limits.high_water and not self.outbox.full

    def accept(self, ingress: str, arrivals: Sequence[Arrival], partition: str, position: bytes | None) -> int:
        """Take messages from an ingress together with its position; return the epoch they belong to."""
        for target, payload in arrivals:
            self.send(target, None, payload)
        self.epoch.accepted = True
        if position is not None:
            self.epoch.positions[ingress, partition] = position
        return self.epoch.number

    def send(self, target: Address, caller: Address | None, payload: Payload) -> None:
        """Put a new message into the mailbox of `target`."""
        self._sequence = sequence = self._sequence + 1
        message = (sequence, target, caller, payload)
        self.epoch.born[sequence] = message
        self.dispatcher.deliver(message)

    def next_sequence(self) -> int:
        """A number that no message and no other row ever had."""
        self._sequence += 1
        return self._sequence

    def tick(self, now: int) -> None:
        """Move time on: deliver what is due, end back-offs. Time that goes back is ignored."""
        self.now = max(now, self.now)
        for message in self.delayed.due(self.now, self.epoch):
            self.send(message.target, message.caller, message.payload)
        self.dispatcher.wake(self.now)

    def next_time(self) -> int | None:
        """When `tick` has something to do next, if nothing else happens."""
        times = (self.delayed.next_due(), self.dispatcher.next_wakeup(self.now))
        return min((time for time in times if time is not None), default=None)

    # ---------------------------------------------------------------------------------------------------------- calls

    def configure(self, typename: str, *, max_in_flight: int, max_batch: int) -> None:
        """Set the limits of a function type."""
        function_type = self.dispatcher.type_of(typename)
        function_type.limit, function_type.max_batch = max_in_flight, max_batch

    def declare(self, typename: str, specs: Iterable[StateSpec]) -> None:
        """Register the states of a function whose declaration is at hand, so that no call need ask for them."""
        function_type = self.dispatcher.type_of(typename)
        refusal = self._register(function_type, {spec.name: spec for spec in specs})
        if refusal:
            raise ValueError(f"the function {typename} {refusal}")
        function_type.answered()

    def ask(self, typename: str) -> None:
        """Let the next call of a function type ask anew for its states, which may have changed."""
        self.dispatcher.type_of(typename).asks = True

    def take_loads(self) -> list[Mailbox]:
        """Mailboxes whose state the owner must read from the store."""
        return self.dispatcher.take_loads()

    def loaded(self, mailbox: Mailbox, values: StateValues) -> None:
        """Take what the store holds for a mailbox of `take_loads`."""
        self.dispatcher.loaded(mailbox, values)

    def next_batches(self, limit: int) -> list[Batch]:
        """Calls to make now, at most `limit` for each function type."""
        return self.dispatcher.next_batches(limit, self.now, self.epoch)

    def reply(self, batch: Batch, reply: Reply) -> None:
        """Take the answer to a batch. All of its effects are applied, or none; a stale answer is dropped."""
        mailbox = self.dispatcher.returned(batch)
        if mailbox is None:
            return
        if isinstance(reply, Effects):
            refusal = self._refusal(mailbox, reply)
            if refusal is None:
                self._apply(mailbox, batch, reply)
            else:
                self._fail(
                    mailbox, batch, Failure(FailureKind.PERMANENT, f"the function's reply is refused: {refusal}")
                )
        elif isinstance(reply, MissingStates):
            self._register_missing(mailbox, batch, reply)
        else:
            self._fail(mailbox, batch, reply)

    def _refusal(self, mailbox: Mailbox, effects: Effects) -> str | None:
        for name, payload in effects.mutations.items():
            refusal = mailbox.function_type.refusal(name, payload)
            if refusal is not None:
                return refusal
        return self._token_refusal(mailbox.address, effects.delayed) if effects.delayed else None

    def _token_refusal(self, owner: Address, delayed: list[DelayedSend | Cancellation]) -> str | None:
        live: dict[str, bool] = {}
        for effect in delayed:
            if isinstance(effect, Cancellation):
                live[effect.token] = False
                continue
            token = effect.token
            if token and live.get(token, self.delayed.is_live(owner, token)):
                return f"it sent a delayed message with the token {token!r}, which another one of it still holds"
            live[token] = True
        return None

    def _apply(self, mailbox: Mailbox, batch: Batch, effects: Effects) -> None:
        epoch, address = self.epoch, batch.target
        for target, payload in effects.sends:
            self.send(target, address, payload)
        for effect in effects.delayed:
            self._apply_delayed(address, effect)
        for record in effects.egresses:
            self._apply_egress(address, record)
        for name, value in effects.mutations.items():
            mailbox.write(name, value, self.now, epoch)
        epoch.consume(batch.messages)
        self.dispatcher.queued -= len(batch.messages)
        function_type = mailbox.function_type
        function_type.invocations += len(batch.messages)
        function_type.sent += len(effects.sends)
        function_type.egressed += len(effects.egresses)
        function_type.answered()
        self.failures.passed(mailbox, len(batch.messages))
        self.dispatcher.settle(mailbox)

    def _apply_delayed(self, owner: Address, effect: DelayedSend | Cancellation) -> None:
        if isinstance(effect, Cancellation):
            self.delayed.cancel(owner, effect.token, self.epoch)
            return
        due = self.now + effect.delay
        message = DelayedMessage(due, self.next_sequence(), effect.target, owner, effect.payload, effect.token)
        self.delayed.add(message, self.epoch)

    def _apply_egress(self, sender: Address, record: EgressRecord) -> None:
        if self.release(record):
            return
        message = (self.next_sequence(), sender, sender, record.payload)
        reason = f"no egress has the id {record.egress}"
        letter = DeadLetter(self.now, LetterKind.EGRESS_RECORD, record.egress, message, reason, 0, {})
        self.epoch.dead_letters.append(letter)

    def release(self, record: EgressRecord) -> bool:
        """Give a record to its egress once the open epoch is durable; false if there is no such egress."""
        known = record.egress in self._egresses
        if known:
            self.epoch.outbox.setdefault(record.egress, []).append(record.payload)
        return known

    def _register_missing(self, mailbox: Mailbox, batch: Batch, missing: MissingStates) -> None:
        function_type = mailbox.function_type
        mailbox.rounds += 1
        asked = {spec.name: spec for spec in missing.states}
        # The first answer names all states there are: what is declared no longer is left out. Not so later: an older
        # version of the function may still be called beside the one that answered, and write what it declares.
        specs = {**function_type.specs, **asked} if function_type.current else asked
        refusal = self._register(function_type, specs)
        if refusal is None and mailbox.rounds > self._limits.max_rounds:
            refusal = f"asked {self._limits.max_rounds} times in a row for more states"
        if refusal is not None:
            self._fail(mailbox, batch, Failure(FailureKind.MISCONFIGURED, f"the function {refusal}"))
            return
        function_type.answered()
        self.dispatcher.put_back(mailbox, batch.messages)
        self.dispatcher.settle(mailbox)

    def _register(self, function_type: FunctionType, specs: dict[str, StateSpec]) -> str | None:
        for name, spec in specs.items():
            known = function_type.specs.get(name, spec)
            if known.typename != spec.typename:
                return f"declares the state {name!r} as {spec.typename}, but it was {known.typename} so far"
        if specs != function_type.specs:
            function_type.declare(specs)
            self.epoch.specs[function_type.typename] = specs
        return None

    # ------------------------------------------------------------------------------------------------------- failures

    def _fail(self, mailbox: Mailbox, batch: Batch, failure: Failure) -> None:
        self.failures.failed(mailbox, batch, failure, self.now, self.epoch)

    def resume(self, address: Address) -> bool:
        """Call a parked address again; false if it is not parked."""
        mailbox = self.dispatcher.mailbox_of(address)
        if mailbox is None or mailbox.parked is None:
            return False
        self.failures.resume(mailbox, self.epoch)
        return True

    def resume_misconfigured(self) -> None:
        """Call the addresses again that are parked because the application was wrong: it may be right now."""
        for mailbox in self.dispatcher.mailboxes():
            if mailbox.parked is not None and mailbox.parked.kind is FailureKind.MISCONFIGURED:
                self.failures.resume(mailbox, self.epoch)

    # --------------------------------------------------------------------------------------------------------- epochs

    def cut(self, *, everything: bool = False) -> Epoch | None:
        """Close the open epoch and return it, or `None` if nothing waits for it.

        With `everything`, what egresses released is reason enough: for the last epoch before a stop.
        """
        epoch = self.epoch
        if not (epoch.has_changes() if everything else epoch.needs_commit()):
            return None
        epoch.sequence = self._sequence
        epoch.time = self.now
        self.epoch = Epoch(epoch.number + 1)
        return epoch

    def committed(self, epoch: Epoch) -> list[tuple[str, OutboxBatch]]:
        """Take note that a cut epoch is on disk; return what egresses are handed now.

        The rest stays on disk; `outbox.next` tells when an egress has room for it.
        """
        self.durable = epoch.number
        for (ingress, partition), position in epoch.positions.items():
            self.positions.setdefault(ingress, {})[partition] = position
        self.dispatcher.sweep(epoch.number)
        batches: list[tuple[str, OutboxBatch]] = []
        for egress, records in epoch.outbox.items():
            batch = OutboxBatch(self.lineage, epoch.number, records)
            if self.outbox.durable(egress, OutboxEntry.of(batch)):
                batches.append((egress, batch))
        return batches

    def released(self, egress: str, number: int, position: bytes | None) -> None:
        """Take note that an egress has written everything up to epoch `number`."""
        self.outbox.released(egress, number, position, self.epoch)
