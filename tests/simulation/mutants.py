"""Mistakes that the simulation must find: each a small change to one function of the engine or of what is around it.

A mutant is made from the source of the function, so one whose text is not there any more fails by itself.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from statefun_runtime.driver import Driver
from statefun_runtime.egress.kafka_marker import Marker
from statefun_runtime.endpoint import codec
from statefun_runtime.engine.dead_letters import DeadLetters
from statefun_runtime.engine.delayed import DelayedMessages
from statefun_runtime.engine.dispatcher import Dispatcher
from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.function_type import FunctionType as StatefulType
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.mailboxes import Mailboxes
from statefun_runtime.engine.outbox import Outbox
from statefun_runtime.epoch import Epoch
from statefun_runtime.requests.live import LiveRequests
from statefun_runtime.store import changes, recovery


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` in the source of `name` of `owner`, a class or a module, becomes `new`."""

    mistake: str
    owner: Any
    name: str
    old: str
    new: str

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Make the mistake for a while."""
        original = self.owner.__dict__[self.name]
        is_property = isinstance(original, property)
        function: FunctionType = original.fget if is_property else original
        source = "from __future__ import annotations\n" + textwrap.dedent(inspect.getsource(function))
        if source.count(self.old) != 1:
            raise AssertionError(f"{self.mistake}: {self.old!r} is {source.count(self.old)} times in {self.name}")
        names: dict[str, Any] = {}
        scope = vars(sys.modules[function.__module__])
        exec(compile(source.replace(self.old, self.new), self.mistake, "exec"), scope, names)
        mutated: Callable[..., Any] = names[self.name]
        owners = [self.owner] if isinstance(self.owner, type) else list(_holders(self.name, original))
        for owner in owners:
            setattr(owner, self.name, mutated)
        try:
            yield
        finally:
            for owner in owners:
                setattr(owner, self.name, original)


def _holders(name: str, function: object) -> Iterator[ModuleType]:
    """The modules that have imported a function, and its own."""
    for module in list(sys.modules.values()):
        if vars(module).get(name) is function:
            yield module


MUTANTS = (
    Mutant(
        "egress before the epoch is durable",
        Engine,
        "cut",
        "    self._under_way, self.epoch",
        "    for egress, records in epoch.outbox.items():\n"
        "        self.outbox.durable(egress, OutboxEntry.of(OutboxBatch(self.lineage, epoch.number, records)))\n"
        "    self._under_way, self.epoch",
    ),
    Mutant("the outbox is not stored", changes, "_put_egress", "rows.outbox_row(lineage, records)", "b''"),
    Mutant("an outbox row is removed before it is out", Outbox, "released", "<= number", "<= number + 1"),
    Mutant("a consumed message is not deleted", Epoch, "consume", "dead.append(message)", "pass"),
    Mutant("an undelivered message is not stored", changes, "_put_messages", "epoch.born.values()", "()"),
    Mutant("a fired delayed message is kept", DelayedMessages, "_drop", "epoch.delayed_gone.add(key)", "pass"),
    Mutant(
        "the position is committed before its messages",
        Engine,
        "accept",
        "self.epoch.positions",
        "(self._under_way or self.epoch).positions",
    ),
    Mutant(
        "a failed batch goes behind what came meanwhile",
        Dispatcher,
        "put_back",
        "mailbox.queue[:0] =",
        "mailbox.queue +=",
    ),
    Mutant(
        "a cancellation counts in memory only",
        DelayedMessages,
        "cancel",
        "self._drop(key, token, epoch)",
        "self.count -= 1",
    ),
    Mutant("a token is not free again", DelayedMessages, "_drop", "epoch.tokens_gone.add(token)", "pass"),
    Mutant(
        "a token beyond memory is taken as unknown",
        DelayedMessages,
        "find",
        "raise UnknownTokenError(token)",
        "return None",
    ),
    Mutant(
        "a write does not renew a value's life", Mailbox, "write", "(now, payload)", "(old[0] if old else now, payload)"
    ),
    Mutant("a call does not renew a value's life", StatefulType, "_expire", "touched != now", "False"),
    Mutant("an expired value is seen", StatefulType, "_expire", "<= now", "< now - 1000"),
    Mutant(
        "a parked address is forgotten",
        changes,
        "_put_operations",
        "changes.puts.append((Table.PARKED, key, rows.parked_row(parked)))",
        "pass",
    ),
    Mutant(
        "the mailbox of a parked address is dropped",
        Dispatcher,
        "park",
        "self._mailboxes.stick(mailbox)",
        "self._mailboxes.stick(mailbox)\n    mailbox.newest = mailbox.paged = mailbox.newest",
    ),
    Mutant(
        "a page begins anew instead of after the last one", Mailboxes, "take_pages", "mailbox.paged, self", "0, self"
    ),
    Mutant(
        "a page that came too early is taken for the last",
        Mailboxes,
        "paged_in",
        "mailbox.newest > page.durable",
        "False",
    ),
    Mutant(
        "a message overtakes those that are not in memory",
        Mailboxes,
        "deliver",
        "mailbox.newest > mailbox.paged or ",
        "",
    ),
    Mutant(
        "a cold address is called before its older messages are read",
        Mailboxes,
        "deliver",
        " or function_type.is_cold(identifier)",
        "",
    ),
    Mutant(
        "messages born during a pass are not looked for",
        Mailboxes,
        "warmed",
        "for epoch in epochs:",
        "for epoch in ():",
    ),
    Mutant(
        "an id that turns cold behind a pass waits for ever",
        StatefulType,
        "spill",
        "self.next_from = identifier",
        "pass",
    ),
    Mutant("sequences begin anew after a restart", recovery, "recover", "sequence=head.sequence", "sequence=0"),
    Mutant(
        "an address leaves the memory with what is not durable",
        Mailboxes,
        "_sweep",
        "mailbox.changed < epoch.number and ",
        "",
    ),
    Mutant(
        "what is spilled is forgotten with the address",
        Mailboxes,
        "_close",
        "function_type.spill(identifier, mailbox.newest, epoch)",
        "pass",
    ),
    Mutant(
        "a late reply is applied", Dispatcher, "returned", "mailbox.in_flight is not batch", "mailbox.in_flight is None"
    ),
    Mutant("delayed messages of an undurable epoch are not read", DelayedMessages, "loaded", "found |=", "_ ="),
    Mutant(
        "what fired but is not durable is read again",
        DelayedMessages,
        "loaded",
        "any(key in epoch.delayed_gone for epoch in epochs)",
        "False",
    ),
    Mutant("memory keeps messages beyond its horizon", DelayedMessages, "add", "key <= self._horizon", "True"),
    Mutant(
        "deletes are written after puts",
        changes,
        "changes_of",
        "return changes",
        "changes.puts = [put for put in changes.puts if put[:2] not in changes.deletes]\n    return changes",
    ),
    Mutant(
        "a skipped message stays in the mailbox",
        Mailboxes,
        "remove",
        "self.consumed(mailbox, removed, epoch)",
        "mailbox.queue[:0] = removed",
    ),
    Mutant(
        "a dead letter that was sent again is kept",
        DeadLetters,
        "remove",
        "epoch.dead_letters_gone.append(letter.number)",
        "pass",
    ),
    Mutant(
        "a batch in flight at a cut is lost",
        Engine,
        "cut",
        "    self._under_way, self.epoch",
        "    for each in self.mailboxes.in_memory():\n"
        "        if each.in_flight:\n"
        "            epoch.consume([m for m in each.in_flight.messages if m[0] in epoch.born])\n"
        "    self._under_way, self.epoch",
    ),
    Mutant(
        "a token that is free and not yet durably so is held",
        DelayedMessages,
        "find",
        " or token in epoch.tokens_gone",
        "",
    ),
    Mutant("a value in memory is swept", Engine, "expire", " or address[1] in function_type.mailboxes", ""),
    Mutant("a value is swept too early", StatefulType, "_is_over", "<= now", "<= now + 30"),
    Mutant(
        "release goes on after a failed commit",
        Driver,
        "_committed",
        "self._fail(failed)",
        "self._release(epoch)",
    ),
    Mutant(
        "a truncated reply is read as no effects",
        codec,
        "decode_reply",
        'return _broken(f"it is not a FromFunction message ({error})")',
        "return Effects()",
    ),
    Mutant(
        "a marker is compared without its run",
        Marker,
        "has",
        "self.epochs.get(key, -1)",
        "max(self.epochs.values(), default=-1)",
    ),
    Mutant(
        "a repeat is answered before its epoch is durable",
        LiveRequests,
        "ask",
        "await self._inlet.durable(epoch)",
        "pass",
    ),
    Mutant("a wakeup is lost", Dispatcher, "wake", "if mailbox.stuck:", "if False:"),
)
"""Named by the mistake."""
