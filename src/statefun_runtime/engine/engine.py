"""The engine's face: messages in, calls out, effects applied, epochs cut. All of it in memory and without I/O."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from random import Random

from statefun_runtime.engine.dead_letters import DeadLetters
from statefun_runtime.engine.delayed import DelayedMessages, UnknownTokenError, token_refusal
from statefun_runtime.engine.dispatcher import Dispatcher
from statefun_runtime.engine.failures import Failures
from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.mailboxes import Mailboxes
from statefun_runtime.engine.outbox import Outbox
from statefun_runtime.engine.reads import ColdAddress, ColdRange, DelayedRange, Page, Reads
from statefun_runtime.epoch import (
    RECORD_OVERHEAD,
    DeadLetter,
    DelayedKey,
    DelayedMessage,
    Epoch,
    LetterKind,
    OutboxEntry,
    Recovery,
    StateValues,
    Token,
)
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

    The owner calls `tick` when time has passed, answers what `take_reads` asks of the store, sends the batches of
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
        self.delayed = DelayedMessages(recovery.delayed, limits.delayed_window)
        self.mailboxes = Mailboxes(limits, recovery.sequence)
        self.dispatcher = Dispatcher(self.mailboxes, limits)
        self._limits = limits
        self.dead_letters = DeadLetters(recovery.letter_bytes, self.send)
        self.failures = Failures(self.mailboxes, self.dispatcher, limits, random, self.dead_letters)
        self._egresses = frozenset(egresses)
        self._aliases = limits.aliases
        self.outbox = Outbox(recovery.outbox, self._egresses, limits)
        self.positions = {ingress: dict(partitions) for ingress, partitions in recovery.positions.items()}
        """The durable positions by ingress and partition."""
        self._sequence = recovery.sequence
        self._under_way: Epoch | None = None
        """The epoch that was cut and is not yet known to be durable."""
        self._deferred: list[tuple[Batch, Effects, list[Token]]] = []
        """Replies that name tokens of which only the store knows."""
        self._restore(recovery)

    def _restore(self, recovery: Recovery) -> None:
        for typename, specs in recovery.specs.items():
            self.mailboxes.type_of(typename).declare(specs)
        for typename, count in recovery.parked.items():
            self.mailboxes.type_of(typename).parked = count
        for typename, pending in recovery.pending.items():
            self.mailboxes.type_of(typename).restore(pending)

    # ------------------------------------------------------------------------------------------------------- messages

    @property
    def pending(self) -> int:
        """All messages that wait or are in flight, in memory or not."""
        return sum(each.pending for each in self.mailboxes.types.values())

    def has_room(self, typenames: Collection[str] = ()) -> bool:
        """Whether ingresses may hand in messages for these function types, of which one at least is not behind.

        What is handed in for the others waits: a function type that is behind does not hold up what comes with it.
        Without names it must not be much that waits in all.
        """
        if self.outbox.full or self.is_over_quota or self.is_behind:
            return False
        if not typenames:
            return self.mailboxes.runnable < self._limits.high_water
        return not all(self.mailboxes.is_behind(self._aliases.get(typename, typename)) for typename in typenames)

    @property
    def is_over_quota(self) -> bool:
        """Whether what waits and dead letters take more of the disk than they may."""
        return self.mailboxes.pending_bytes + self.dead_letters.size >= self._limits.disk_quota

    @property
    def is_behind(self) -> bool:
        """Whether commits do not keep up, so that the open epoch grows too large for the memory."""
        return self._under_way is not None and self.is_epoch_full

    @property
    def is_epoch_full(self) -> bool:
        """Whether the open epoch is as large as it should become."""
        return self.epoch.size() >= self._limits.max_epoch

    def accept(self, ingress: str, arrivals: Sequence[Arrival], partition: str, position: bytes | None) -> int:
        """Take messages from an ingress together with its position; return the epoch they belong to."""
        for target, payload, caller in arrivals:
            self.send(target, caller, payload)
        self.epoch.accepted = True
        if position is not None:
            self.epoch.positions[ingress, partition] = position
        return self.epoch.number

    def send(self, target: Address, caller: Address | None, payload: Payload) -> None:
        """Put a new message into the mailbox of `target`."""
        if target[0] in self._aliases:
            target = (self._aliases[target[0]], target[1])
        self._sequence = sequence = self._sequence + 1
        message = (sequence, target, caller, payload)
        self.epoch.born[sequence] = message
        self.mailboxes.deliver(message, self.epoch)

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
        function_type = self.mailboxes.type_of(typename)
        function_type.limit, function_type.max_batch = max_in_flight, max_batch

    def declare(self, typename: str, specs: Iterable[StateSpec]) -> None:
        """Register the states of a function whose declaration is at hand, so that no call need ask for them."""
        function_type = self.mailboxes.type_of(typename)
        refusal = function_type.register({spec.name: spec for spec in specs}, self.epoch)
        if refusal:
            raise ValueError(f"the function {typename} {refusal}")
        function_type.answered()

    def ask(self, typename: str) -> None:
        """Let the next call of a function type ask anew for its states, which may have changed."""
        self.mailboxes.type_of(typename).asks = True

    def next_batches(self, limit: int) -> list[Batch]:
        """Calls to make now, at most `limit` for each function type."""
        if self.is_behind:
            return []
        return self.dispatcher.next_batches(limit, self.now, self.epoch)

    def reply(self, batch: Batch, reply: Reply) -> None:
        """Take the answer to a batch. All of its effects are applied, or none; a stale answer is dropped.

        A reply that names tokens of which only the store knows is applied when they were read; until then the address
        stays in flight.
        """
        if isinstance(reply, Effects) and reply.delayed:
            self._reply_with_tokens(batch, reply, {})
            return
        mailbox = self.dispatcher.returned(batch)
        if mailbox is None:
            return
        if isinstance(reply, Effects):
            self._apply_or_refuse(mailbox, batch, reply, {})
        elif isinstance(reply, MissingStates):
            self._register_missing(mailbox, batch, reply)
        else:
            self._fail(mailbox, batch, reply)

    def _reply_with_tokens(self, batch: Batch, effects: Effects, stored: Mapping[Token, DelayedKey | None]) -> None:
        tokens = [(batch.target, effect.token) for effect in effects.delayed if effect.token]
        epochs = self._undurable()
        try:
            keys = {token: self.delayed.find(token, epochs, stored) for token in tokens}
        except UnknownTokenError:
            self._deferred.append((batch, effects, tokens))
            return
        mailbox = self.dispatcher.returned(batch)
        if mailbox is not None:
            self._apply_or_refuse(mailbox, batch, effects, keys)

    def _apply_or_refuse(
        self, mailbox: Mailbox, batch: Batch, effects: Effects, keys: dict[Token, DelayedKey | None]
    ) -> None:
        refusal = self._refusal(mailbox, effects, keys)
        if refusal is None:
            self._apply(mailbox, batch, effects, keys)
        else:
            self._fail(mailbox, batch, Failure(FailureKind.PERMANENT, f"the function's reply is refused: {refusal}"))

    def _refusal(self, mailbox: Mailbox, effects: Effects, keys: Mapping[Token, DelayedKey | None]) -> str | None:
        for name, payload in effects.mutations.items():
            refusal = mailbox.function_type.refusal(name, payload)
            if refusal is not None:
                return refusal
        return token_refusal(effects.delayed, keys) if effects.delayed else None

    def _apply(self, mailbox: Mailbox, batch: Batch, effects: Effects, keys: dict[Token, DelayedKey | None]) -> None:
        epoch, address, count = self.epoch, batch.target, len(batch.messages)
        for target, payload in effects.sends:
            self.send(target, address, payload)
        for effect in effects.delayed:
            self._apply_delayed((address, effect.token), effect, keys)
        for record in effects.egresses:
            if not self.release(record):
                self._put_aside(address, record)
        for name, value in effects.mutations.items():
            mailbox.write(name, value, self.now, epoch)
        self.mailboxes.consumed(mailbox, batch.messages, epoch)
        function_type = mailbox.function_type
        function_type.invocations += count
        function_type.sent += len(effects.sends)
        function_type.egressed += len(effects.egresses)
        function_type.answered()
        if mailbox.is_failing:
            self.failures.passed(mailbox, count)
        self.mailboxes.settle(mailbox)

    def _apply_delayed(
        self, token: Token, effect: DelayedSend | Cancellation, keys: dict[Token, DelayedKey | None]
    ) -> None:
        if isinstance(effect, Cancellation):
            key = keys.get(token)
            if key is not None:
                self.delayed.cancel(key, token, self.epoch)
                keys[token] = None
            return
        due = self.now + effect.delay
        message = DelayedMessage(due, self.next_sequence(), effect.target, token[0], effect.payload, effect.token)
        self.delayed.add(message, self.epoch)
        if effect.token:
            keys[token] = message.key

    def _put_aside(self, sender: Address, record: EgressRecord) -> None:
        message = (self.next_sequence(), sender, sender, record.payload)
        reason = f"no egress has the id {record.egress}"
        letter = DeadLetter(self.now, LetterKind.EGRESS_RECORD, record.egress, message, reason, 0, {})
        self.dead_letters.put_aside(letter, self.epoch)

    def release(self, record: EgressRecord) -> bool:
        """Give a record to its egress once the open epoch is durable; false if there is no such egress."""
        egress, payload = record
        known = egress in self._egresses
        if known:
            self.epoch.outbox.setdefault(egress, []).append(payload)
            self.outbox.add(egress, len(payload) + RECORD_OVERHEAD)
        return known

    def _register_missing(self, mailbox: Mailbox, batch: Batch, missing: MissingStates) -> None:
        function_type = mailbox.function_type
        mailbox.rounds += 1
        asked = {spec.name: spec for spec in missing.states}
        # The first answer names all states there are: what is declared no longer is left out. Not so later: an older
        # version of the function may still be called beside the one that answered, and write what it declares.
        specs = {**function_type.specs, **asked} if function_type.current else asked
        refusal = function_type.register(specs, self.epoch)
        if refusal is None and mailbox.rounds > self._limits.max_rounds:
            refusal = f"asked {self._limits.max_rounds} times in a row for more states"
        if refusal is not None:
            self._fail(mailbox, batch, Failure(FailureKind.MISCONFIGURED, f"the function {refusal}"))
            return
        function_type.answered()
        self.dispatcher.put_back(mailbox, batch.messages)
        self.mailboxes.settle(mailbox)

    def expire(self, address: Address, stored: StateValues) -> bool:
        """Delete those of the values in the store of an address whose time is over; false if there are none.

        An address in memory is left alone: it may have changed, and its next call finds what has expired.
        """
        function_type = self.mailboxes.types.get(address[0])
        if function_type is None or not function_type.has_expiry or address[1] in function_type.mailboxes:
            return False
        left = function_type.unexpired(stored, self.now)
        if len(left) < len(stored):
            self.epoch.state[address] = left
        return len(left) < len(stored)

    # ------------------------------------------------------------------------------------------------------- failures

    def _fail(self, mailbox: Mailbox, batch: Batch, failure: Failure) -> None:
        self.failures.failed(mailbox, batch, failure, self.now, self.epoch)

    def open(self, address: Address) -> bool:
        """Bring an address into memory; false until its state was read, so ask again after the next reads."""
        mailbox = self.mailboxes.open(address, self._undurable())
        mailbox.used = True
        return not mailbox.loading

    # ---------------------------------------------------------------------------------------------------------- reads

    def first_page(self, address: Address, limit: int) -> Page | None:
        """What to read to have the first messages of a parked address in memory, answered as by `Mailboxes.filled`.

        None if the address is not in memory (see `open`) or not parked.
        """
        mailbox = self.mailboxes.find(address)
        if mailbox is None or mailbox.parked is None:
            return None
        return Page(mailbox, mailbox.paged, limit, self.mailboxes.durable)

    def take_reads(self) -> Reads | None:
        """What must be read from the store now, or None; see `engine/reads.py` for when and how to answer what."""
        states = self.mailboxes.take_states()
        pages = self.mailboxes.take_pages()
        cold = self.mailboxes.take_cold()
        after = self.delayed.wanted_after
        if not (states or pages or cold or self._deferred or after):
            return None
        delayed = DelayedRange(after, self._limits.delayed_window // 4 + 1) if after else None
        return Reads(states, pages, cold, delayed, [token for _, _, tokens in self._deferred for token in tokens])

    def warmed(self, cold: ColdRange, addresses: list[ColdAddress], last: str | None) -> None:
        """Take the addresses of a range, which was read up to the id `last`, or to the end of the type."""
        self.mailboxes.warmed(cold, addresses, last, self._undurable())

    def delayed_loaded(self, rows: list[DelayedMessage], *, is_end: bool) -> None:
        """Take the next delayed messages; `is_end` tells that the store had no others."""
        self.delayed.loaded(rows, self._undurable(), is_end=is_end)
        self.tick(self.now)

    def tokens_read(self, stored: Mapping[Token, DelayedKey | None]) -> None:
        """Take the keys of the messages that hold tokens, None for those that nobody holds."""
        deferred, self._deferred = self._deferred, []
        for batch, effects, _ in deferred:
            self._reply_with_tokens(batch, effects, stored)

    def _undurable(self) -> tuple[Epoch, ...]:
        """The epochs that are not yet known to be in the store, the newest first."""
        return (self.epoch,) if self._under_way is None else (self.epoch, self._under_way)

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
        epoch.waiting = self.delayed.count
        epoch.pending = self.mailboxes.pending()
        epoch.letter_bytes = self.dead_letters.size
        self._under_way, self.epoch = epoch, Epoch(epoch.number + 1)
        return epoch

    def committed(self, epoch: Epoch) -> list[tuple[str, OutboxBatch]]:
        """Take note that a cut epoch is on disk; return what egresses are handed now.

        The rest stays on disk; `outbox.next` tells when an egress has room for it.
        """
        self.durable = epoch.number
        for (ingress, partition), position in epoch.positions.items():
            self.positions.setdefault(ingress, {})[partition] = position
        self._under_way = None
        if self.mailboxes.is_full:
            self.dispatcher.unload_backing_off()
        self.mailboxes.committed(epoch.sequence, self.epoch)
        batches: list[tuple[str, OutboxBatch]] = []
        for egress, records in epoch.outbox.items():
            batch = OutboxBatch(self.lineage, epoch.number, records)
            if self.outbox.durable(egress, OutboxEntry.of(batch)):
                batches.append((egress, batch))
        return batches

    def released(self, egress: str, number: int, position: bytes | None) -> None:
        """Take note that an egress has written everything up to epoch `number`."""
        self.outbox.released(egress, number, position, self.epoch)
