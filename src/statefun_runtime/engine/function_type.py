"""A function type: its mailboxes, its declared states, and how many of its calls may be under way."""

from collections import deque

from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.payloads import type_prefix, typename_of
from statefun_runtime.epoch import Epoch
from statefun_runtime.interfaces import ExpireMode, Payload, StateSpec


class FunctionType:
    """All addresses of one typename.

    Until a first call has succeeded, and while the endpoint does not answer, `window` is one: a single call asks for
    the declared states, or probes, while the rest waits.
    """

    __slots__ = (
        "_prefixes",
        "accepted",
        "asks",
        "current",
        "dead_letters",
        "egressed",
        "failures",
        "has_expiry",
        "in_flight",
        "invocations",
        "limit",
        "mailboxes",
        "max_batch",
        "parked",
        "paused_until",
        "ready",
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
        self.accepted = self.sent = self.egressed = self.invocations = self.failures = self.parked = 0
        self.dead_letters = 0

    @property
    def backlog(self) -> int:
        """Messages that wait."""
        return self.accepted - self.invocations - self.dead_letters

    def declare(self, specs: dict[str, StateSpec]) -> None:
        """Replace the declared states."""
        self.specs = specs
        self._prefixes = {spec.name: type_prefix(spec.typename) for spec in specs.values()}
        self.has_expiry = any(spec.mode is not ExpireMode.NEVER for spec in specs.values())

    def answered(self) -> None:
        """Note that a call has succeeded."""
        self.current = True
        self.reached()

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

    def _expire(self, mailbox: Mailbox, now: int, epoch: Epoch) -> None:
        for name, spec in self.specs.items():
            if spec.mode is ExpireMode.NEVER or name not in mailbox.values:
                continue
            touched, payload = mailbox.values[name]
            if touched + spec.expire_after <= now:
                mailbox.write(name, None, now, epoch)
            elif spec.mode is ExpireMode.AFTER_CALL and touched != now:
                mailbox.write(name, payload, now, epoch)
