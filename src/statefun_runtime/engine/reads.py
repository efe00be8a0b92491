"""What the engine needs from the store, and what it is told.

States and pages are answered to the mailboxes (`loaded`, `paged_in`), at any time: only the mailbox changes these
rows, and it stays in memory until they are durable. Ranges and tokens are answered to the engine (`warmed`,
`delayed_loaded`, `tokens_read`) before the next `committed`, since it completes them by what is not yet durable.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from statefun_runtime.engine.function_type import FunctionType
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.epoch import DelayedKey, Parked, StateValues, Token
from statefun_runtime.interfaces import Message


class Page(NamedTuple):
    """The next messages of a mailbox: those after the sequence `after`, at most `limit`."""

    mailbox: Mailbox
    after: int
    limit: int
    durable: int
    """The last sequence known to be in the store when it was asked."""


class ColdRange(NamedTuple):
    """The first addresses of a function type that have messages in the store: ids from `start` on, at most `limit`."""

    function_type: FunctionType
    start: str
    limit: int


class DelayedRange(NamedTuple):
    """The next delayed messages: those after the key, at most `limit`."""

    after: DelayedKey
    limit: int


@dataclass(slots=True)
class Reads:
    """All that is needed now."""

    states: list[Mailbox] = field(default_factory=list[Mailbox])
    pages: list[Page] = field(default_factory=list[Page])
    cold: list[ColdRange] = field(default_factory=list[ColdRange])
    delayed: DelayedRange | None = None
    tokens: list[Token] = field(default_factory=list[Token])


class Stored(NamedTuple):
    """What the store holds for an address."""

    values: StateValues
    parked: Parked | None = None


class ColdAddress(NamedTuple):
    """The first messages of a cold address; `is_last` tells that the store has no others."""

    id: str
    messages: list[Message]
    is_last: bool
