"""A function type: its mailboxes, its declared states, how many of its calls may be under way, and what is cold."""

from collections import deque

from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.payloads import type_prefix, typename_of
from statefun_runtime.epoch import Epoch, Pending, StateValues
from statefun_runtime.interfaces import ExpireMode, Payload, StateSpec


class FunctionType:
    """All addresses of one typename.

    Until a first call has succeeded, and while the endpoint does not answer, `window` is one: a single call asks for
    the declared states, or probes, while the rest waits.

    Addresses with waiting messages need not be in memory. Those that are not are called cold; they are brought in by
    passes over the store in the order of ids. A pass has come up to `cold_from`: all cold ids from there on are its
    own. Ids before it that become cold meanwhile, from `next_from` on, are those of the pass after it. So every id that
    is neither in memory nor in one of these ranges has nothing that waits, unless it is parked.
    """

    __slots__ = (
        "_prefixes",
        "asks",
        "cold_from",
        "current",
        "egressed",
        "failures",
        "has_expiry",
        "in_flight",
        "invocations",
        "limit",
        "mailboxes",
        "max_batch",
        "next_from",
        "parked",
        "paused_until",
        "pending",
        "pending_bytes",
        "ready",
        "resident_bytes",
        "runnable",
        "sent",
        "specs",
        "typename",
        "unreachable",
        "window",
    )

    def __init__(self, typename: str, limit: int, max_batch: int) -> None:
        self.typename = typename
        self.limit = limit
        self.max_batch = max_batch
        self.mailboxes: dict[str, Mailbox] = {}
        self.ready: deque[Mailbox] = deque()
        """In the order of their turns."""
        self.runnable = 0
        """Messages in memory that wait for nothing but the state and the turn of their address."""
        self.pending = 0
        """All messages that wait, wherever they are, and those in flight."""
        self.pending_bytes = 0
        self.resident_bytes = 0
        self.cold_from: str | None = None
        self.next_from: str | None = None
        self.in_flight = 0
        self.window = 1
        self.paused_until = 0
        self.unreachable = 0
        """Calls in a row that nobody answered."""
        self.current = False
        """Whether `specs` are those of the function as it is now. Until then a call carries no state and asks."""
        self.asks = False
        """Whether the next call carries no state, to hear what is declared now; the others go on meanwhile."""
        self.specs: dict[str, StateSpec] = {}
        self._prefixes: dict[str, bytes] = {}
        self.has_expiry = False
        self.sent = self.egressed = self.invocations = self.failures = self.parked = 0

    @property
    def is_saturated(self) -> bool:
        """Whether as many of its calls are under way as may be, so that what is runnable waits for one of them."""
        return self.in_flight >= self.window

    def restore(self, pending: Pending) -> None:
        """Begin with these messages in the store."""
        self.pending, self.pending_bytes = pending
        self.cold_from = ""

    def is_cold(self, identifier: str) -> bool:
        """Whether this id, when it is not in memory, may have messages in the store."""
        if self.cold_from is not None and identifier >= self.cold_from:
            return True
        return self.next_from is not None and identifier >= self.next_from

    def spill(self, identifier: str, newest: int, epoch: Epoch) -> None:
        """Leave the messages of an id that is not in memory, up to the sequence `newest`, to the store."""
        epoch.spilled.setdefault(self.typename, {})[identifier] = newest
        if self.is_cold(identifier):
            return
        if self.cold_from is None:
            self.cold_from = identifier
        else:
            self.next_from = identifier

    def passed(self, last: str | None) -> None:
        """Note that the pass over cold ids has come beyond `last`, or to its end."""
        if last is not None:
            self.cold_from = last + "\0"
        else:
            self.cold_from, self.next_from = self.next_from, None

    def drop_closed(self) -> None:
        """Take the mailboxes that are no longer `ready`, since they left memory, out of the order of turns."""
        self.ready = deque(mailbox for mailbox in self.ready if mailbox.ready)

    def register(self, specs: dict[str, StateSpec], epoch: Epoch) -> str | None:
        """Replace the declared states, durably; or tell why they cannot be those of the function so far."""
        for name, spec in specs.items():
            known = self.specs.get(name, spec)
            if known.typename != spec.typename:
                return f"declares the state {name!r} as {spec.typename}, but it was {known.typename} so far"
        if specs != self.specs:
            self.declare(specs)
            epoch.specs[self.typename] = specs
        return None

    def declare(self, specs: dict[str, StateSpec]) -> None:
        """Take the declared states as they are in the store."""
        self.specs = specs
        self._prefixes = {spec.name: type_prefix(spec.typename) for spec in specs.values()}
        self.has_expiry = any(spec.mode is not ExpireMode.NEVER for spec in specs.values())

    def answered(self) -> None:
        """Note that a call has succeeded."""
        self.current = True
        self.unreachable = 0
        self.window = self.limit

    def reached(self) -> None:
        """Note that somebody answers at the endpoint, if only that a call failed."""
        self.unreachable = 0
        if self.current:
            self.window = self.limit

    def refusal(self, name: str, payload: Payload | None) -> str | None:
        """Why a function may not write this, or `None` if it may."""
        prefix = self._prefixes.get(name)
        if prefix is None:
            return f"it wrote the state {name!r}, which it never declared; declared: {', '.join(self.specs) or 'none'}"
        if payload is None or payload.startswith(prefix):
            return None
        found, declared = typename_of(payload), self.specs[name].typename
        if found == declared:
            return None
        return f"it wrote a value of type {found} to the state {name!r}, which is declared as {declared}"

    def view(self, mailbox: Mailbox, now: int, epoch: Epoch) -> dict[str, Payload | None]:
        """The states that a call carries. Expired values are deleted, those that expire after calls are refreshed."""
        if self.asks or not self.current:
            self.asks = False
            return {}
        if self.has_expiry:
            self._expire(mailbox, now, epoch)
        values = mailbox.values
        if not values:
            return dict.fromkeys(self.specs)
        return {name: values[name][1] if name in values else None for name in self.specs}

    def unexpired(self, values: StateValues, now: int) -> StateValues:
        """Those of the values whose time is not over, by the states as they are declared now."""
        if not self.current:
            return values
        return {name: value for name, value in values.items() if not self._is_over(name, value[0], now)}

    def _is_over(self, name: str, touched: int, now: int) -> bool:
        spec = self.specs.get(name)
        return spec is not None and spec.mode is not ExpireMode.NEVER and touched + spec.expire_after <= now

    def _expire(self, mailbox: Mailbox, now: int, epoch: Epoch) -> None:
        for name, spec in self.specs.items():
            if spec.mode is ExpireMode.NEVER or name not in mailbox.values:
                continue
            touched, payload = mailbox.values[name]
            if touched + spec.expire_after <= now:
                mailbox.write(name, None, now, epoch)
            elif spec.mode is ExpireMode.AFTER_CALL and touched != now:
                mailbox.write(name, payload, now, epoch)
