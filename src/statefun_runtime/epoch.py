"""The epoch, the unit of durability: what the engine hands to the store, and what comes back after a restart.

Between two cuts the engine works in memory and keeps here the difference to the last durable epoch. A cut swaps the
epoch for an empty one; nothing in a cut epoch changes afterwards, so a thread can write it while the engine goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

from statefun_runtime.interfaces import Address, FailureKind, Message, OutboxBatch, Payload, StateSpec

DelayedKey: TypeAlias = tuple[int, int]
"""(due time, sequence): the order in which delayed messages fire."""

Token: TypeAlias = tuple[Address, str]
"""(owner, cancellation token): what a delayed message is cancelled by."""

StateValue: TypeAlias = tuple[int, Payload]
"""(time of the last write, or of the last call for a state that expires after calls; encoded value)."""

StateValues: TypeAlias = dict[str, StateValue]
"""The values of one address by state name; a state without a value is not in it."""


class DelayedMessage(NamedTuple):
    """A message to be delivered at `due`; `caller` sent it, and can cancel it if `token` is not empty."""

    due: int
    sequence: int
    target: Address
    caller: Address
    payload: Payload
    token: str

    @property
    def key(self) -> DelayedKey:
        return (self.due, self.sequence)


RECORD_OVERHEAD = 200
"""About what a record costs in memory besides its bytes."""


class OutboxEntry(NamedTuple):
    """A durable epoch with records for an egress; `size` is about the bytes that they take in memory."""

    epoch: int
    size: int

    @classmethod
    def of(cls, batch: OutboxBatch) -> "OutboxEntry":
        return cls(batch.epoch, sum(map(len, batch.records)) + RECORD_OVERHEAD * len(batch.records))


class SinkPosition(NamedTuple):
    """Where an egress was in its sink, and in which lineage; in another one the sink may have been written since."""

    lineage: str
    position: bytes


class Parked(NamedTuple):
    """Why an address is parked: its mailbox is kept and nothing is delivered to it until it is resumed."""

    since: int
    attempts: int
    reason: str
    kind: FailureKind = FailureKind.PERMANENT
    messages: int = 1
    """How many messages the failed call carried: the first ones of the mailbox."""


class LetterKind(Enum):
    """What a dead letter holds."""

    MESSAGE = "message"
    """A message for a function; `destination` is its typename."""
    EGRESS_RECORD = "egress record"
    """A record for an egress, `destination`, that does not exist or whose sink refuses it for good.

    In the first case the message's target and caller are its sender. In the second one there is no caller, and the
    target is the egress with where in its sink the record was to go.
    """
    INGRESS_RECORD = "ingress record"
    """A record that cannot become a message; `destination` is the ingress that read it.

    The message's target is the ingress with where in its source the record stood.
    """


class Pending(NamedTuple):
    """Messages that wait at a function type, and the bytes of their payloads."""

    messages: int
    bytes: int


class DeadLetter(NamedTuple):
    """What could not be delivered, kept with the reason. The sequence of `message` is its number."""

    time: int
    kind: LetterKind
    destination: str
    message: Message
    reason: str
    attempts: int
    state: StateValues
    """The values of the target when the message failed; none if it was never given to the function."""

    @classmethod
    def of_message(cls, time: int, message: Message, reason: str, attempts: int, state: StateValues) -> "DeadLetter":
        """A letter that holds a message for a function."""
        return cls(time, LetterKind.MESSAGE, message[1][0], message, reason, attempts, state)

    @property
    def number(self) -> int:
        return self.message[0]

    @property
    def size(self) -> int:
        """Bytes of its payloads: those of the message and of the state."""
        return len(self.message[3]) + sum(len(payload) for _, payload in self.state.values())


class JournalEntry(NamedTuple):
    """What an operator did: at which time, to what, and under which name of the operating system."""

    number: int
    time: int
    action: str
    target: str
    who: str
    detail: str


class Epoch:
    """The difference that one epoch makes.

    `born` are messages accepted or sent in it and not yet consumed, `dead` durable messages consumed in it; one that
    was born and consumed in the same epoch is in neither and touches no disk. The same holds for delayed messages.

    Until it is durable an epoch is also what memory knows beyond the store: a range of rows that is read meanwhile
    lacks what is born here, and still holds what is gone.
    """

    __slots__ = (
        "accepted",
        "born",
        "dead",
        "dead_letters",
        "dead_letters_gone",
        "delayed",
        "delayed_gone",
        "journal",
        "letter_bytes",
        "number",
        "outbox",
        "outbox_gone",
        "outbox_left",
        "parked",
        "pending",
        "positions",
        "sequence",
        "sinks",
        "specs",
        "spilled",
        "state",
        "time",
        "tokens",
        "tokens_gone",
        "waiting",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.sequence = 0
        self.time = 0
        self.accepted = False
        """Whether an ingress handed in anything: it may wait for this epoch even when nothing is left to write."""
        self.born: dict[int, Message] = {}
        self.dead: list[Message] = []
        self.state: dict[Address, StateValues] = {}
        self.delayed: dict[DelayedKey, DelayedMessage] = {}
        self.delayed_gone: set[DelayedKey] = set()
        self.tokens: dict[Token, DelayedKey] = {}
        """Tokens taken, by the key of their message."""
        self.tokens_gone: set[Token] = set()
        self.waiting = 0
        """Delayed messages in all, at the cut."""
        self.pending: dict[str, Pending] = {}
        """What waits at each function type, at the cut."""
        self.letter_bytes = 0
        """Sizes of all dead letters, at the cut."""
        self.spilled: dict[str, dict[str, int]] = {}
        """By typename and id, the newest message born here for an address that is not in memory. Not stored."""
        self.positions: dict[tuple[str, str], bytes] = {}
        self.outbox: dict[str, list[Payload]] = {}
        self.outbox_gone: list[tuple[str, int]] = []
        self.outbox_left: dict[tuple[str, int], OutboxBatch] = {}
        """By egress and epoch, durable batches of which records became dead letters, without them."""
        self.sinks: dict[str, bytes] = {}
        self.specs: dict[str, dict[str, StateSpec]] = {}
        self.parked: dict[Address, Parked | None] = {}
        self.dead_letters: list[DeadLetter] = []
        self.dead_letters_gone: list[int] = []
        self.journal: list[JournalEntry] = []

    def consume(self, messages: Sequence[Message]) -> int:
        """Take note that these messages wait no more; return the bytes of their payloads."""
        born, dead, size = self.born, self.dead, 0
        for message in messages:
            size += len(message[3])
            if born.pop(message[0], None) is None:
                dead.append(message)
        return size

    def size(self) -> int:
        """About how many rows it changes, with each record for an egress."""
        records = sum(map(len, self.outbox.values()))
        return len(self.born) + len(self.dead) + len(self.state) + len(self.delayed) + len(self.delayed_gone) + records

    def needs_commit(self) -> bool:
        """Whether anything waits for this epoch. What egresses released does not by itself."""
        return bool(
            self.accepted
            or self.born
            or self.dead
            or self.state
            or self.delayed
            or self.delayed_gone
            or self.positions
            or self.outbox
            or self.specs
            or self.parked
            or self.dead_letters
            or self.dead_letters_gone
            or self.journal
        )

    def has_changes(self) -> bool:
        """Whether committing it would change anything."""
        return self.needs_commit() or bool(self.outbox_gone or self.sinks)


@dataclass(slots=True)
class Recovery:
    """The last durable epoch as read from a store; the defaults are those of an empty one.

    What waits is only counted: the engine asks for it piece by piece. `pending` has every function type with messages
    in the store, `parked` the number of its parked addresses, `letter_bytes` the sizes of all dead letters; `outbox`
    names by egress, in order, the epochs whose records are not known to be out.
    """

    lineage: str
    epoch: int = 0
    sequence: int = 0
    time: int = 0
    delayed: int = 0
    pending: dict[str, Pending] = field(default_factory=dict[str, Pending])
    positions: dict[str, dict[str, bytes]] = field(default_factory=dict[str, dict[str, bytes]])
    outbox: dict[str, list[OutboxEntry]] = field(default_factory=dict[str, list[OutboxEntry]])
    sinks: dict[str, SinkPosition] = field(default_factory=dict[str, SinkPosition])
    specs: dict[str, dict[str, StateSpec]] = field(default_factory=dict[str, dict[str, StateSpec]])
    parked: dict[str, int] = field(default_factory=dict[str, int])
    letter_bytes: int = 0

    @property
    def restored_sinks(self) -> set[str]:
        """The egresses whose positions are those of a savepoint."""
        return {egress for egress, sink in self.sinks.items() if sink.lineage != self.lineage}
