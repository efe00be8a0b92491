"""The ports of the runtime and the records that cross them.

Adapters know this module and nothing of each other; `runtime.py` alone wires them. Records are plain tuples and slotted
classes, since every message passes through them. All times are engine time: milliseconds since the epoch, as `int`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from statefun_runtime.answer import Answer
from statefun_runtime.connection import Connection

Address: TypeAlias = tuple[str, str]
"""(typename as `namespace/name`, id)."""

Payload: TypeAlias = bytes
"""An encoded `TypedValue`. The runtime stores and forwards it as it came."""

Message: TypeAlias = tuple[int, Address, Address | None, Payload]
"""(sequence, target, caller, payload). Sequences rise over the whole engine and are never used twice."""


class ExpireMode(Enum):
    """When a state value expires; the numbers are those of the wire."""

    NEVER = 0
    AFTER_WRITE = 1
    AFTER_CALL = 2


class StateSpec(NamedTuple):
    """A state that a function declares: `typename` is that of its values, `expire_after` is in milliseconds."""

    name: str
    typename: str
    mode: ExpireMode = ExpireMode.NEVER
    expire_after: int = 0

    def __str__(self) -> str:
        when = self.mode.name.lower().replace("_", " ")
        expires = "" if self.mode is ExpireMode.NEVER else f", expires {self.expire_after} ms {when}"
        return f"{self.name} ({self.typename}{expires})"


# ---------------------------------------------------------------------------------------------------------- endpoints


class Batch:
    """One request to a function: messages of one address in order, with all its registered states.

    A state without a value is `None`. At most one batch of an address is in flight; a reply to any other is stale.
    """

    __slots__ = ("attempt", "messages", "sent_at", "state", "target")

    def __init__(self, target: Address, state: dict[str, Payload | None], messages: list[Message]) -> None:
        self.target = target
        self.state = state
        self.messages = messages
        self.attempt = 1
        self.sent_at = 0.0
        """`time.perf_counter()` when it was given to the endpoint."""


class Send(NamedTuple):
    """A message that a function sends at once."""

    target: Address
    payload: Payload


class DelayedSend(NamedTuple):
    """A message that a function sends `delay` milliseconds from now. An empty token cannot be cancelled."""

    delay: int
    target: Address
    payload: Payload
    token: str


class Cancellation(NamedTuple):
    """A request to drop the delayed message that the same address sent with this token."""

    token: str


class EgressRecord(NamedTuple):
    """A record for an egress, by the egress's typename."""

    egress: str
    payload: Payload


class Effects:
    """What a batch does, applied as one step in this order: sends, delayed, egresses, mutations.

    Within each list the order is the function's. A mutation to `None` deletes the value.
    """

    __slots__ = ("delayed", "egresses", "mutations", "sends")

    def __init__(self) -> None:
        self.sends: list[Send] = []
        self.delayed: list[DelayedSend | Cancellation] = []
        self.egresses: list[EgressRecord] = []
        self.mutations: dict[str, Payload | None] = {}


@dataclass(frozen=True, slots=True)
class MissingStates:
    """The function declares states that the batch did not carry; it ran nothing."""

    states: tuple[StateSpec, ...]


class FailureKind(Enum):
    """Whether calling again can help."""

    TRANSIENT = "transient"
    """Try again later: a time-out, a broken connection, 408 409 420 429 499 and every 5xx."""
    UNREACHABLE = "unreachable"
    """Nobody answers at the endpoint; it concerns all of the endpoint's functions."""
    PERMANENT = "permanent"
    """The same call will fail again: any other 4xx, an undecodable reply, a reply that breaks the protocol."""
    MISCONFIGURED = "misconfigured"
    """The application is wrong and not the message: nobody serves the function, or a state has changed its type."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A batch that had no effect. `retry_after` (milliseconds) is what the function asked for, if it did."""

    kind: FailureKind
    reason: str
    retry_after: int | None = None


Reply: TypeAlias = Effects | MissingStates | Failure
ReplyTo: TypeAlias = Callable[[Batch, Reply], None]


class Endpoint(Protocol):
    """Calls functions. Implementations: in process, over HTTP."""

    async def start(self) -> None:
        """Make ready for `invoke`. A server that is not up yet is no error: calls to it fail as UNREACHABLE."""

    def invoke(self, batch: Batch, reply_to: ReplyTo) -> None:
        """Call the function of `batch.target`; never blocks, never raises.

        `reply_to` is called exactly once for each batch, on the event loop's thread, possibly before this returns;
        never for one that `stop` abandons.
        """

    async def stop(self) -> None:
        """Abandon what is in flight and release all resources.

        No reply comes after this returns, not even to a batch that is given later: the next start makes its call.
        """


# ----------------------------------------------------------------------------------------------------------- adapters


@dataclass(slots=True)
class RecordCounts:
    """What an ingress or an egress tells: records that went through, records that it refused for good, problems."""

    records: int = 0
    rejected: int = 0
    connection: Connection = field(default_factory=Connection, compare=False)


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What the runtime gives to each ingress and egress when it makes it, as `adapter(spec, context)`.

    `spec` is what the module file says of this one adapter; here is what the process's settings say for all of them.
    """

    counts: RecordCounts = field(default_factory=RecordCounts)
    """For the adapter to count in; the metrics show it."""
    host: str = "127.0.0.1"
    """The address to listen on (`http_host`)."""
    max_request_bytes: int = 1 << 20
    """The largest body that a server takes (`max_request_bytes`)."""
    application_id: str = "statefun"
    """What tells this application from others that share an outside system (`application_id`)."""
    data_dir: Path = Path("statefun-data")
    """Where what belongs to this one application is kept (`data_dir`), beside the store."""
    lineage: str = ""
    epoch: int = 0
    """The last durable epoch at this start and its lineage: each restore of a savepoint begins another one."""
    requests: "Requests | None" = None
    """For an ingress whose senders wait for more than durability; None where nobody takes requests."""
    reply_timeout: float = 30.0
    """Seconds that a call waits for its reply unless it says otherwise (`reply_timeout`)."""
    max_reply_timeout: float = 300.0
    """The most that it may say (`max_reply_timeout`)."""


class Rejected(NamedTuple):
    """A record that will never get through: it becomes a dead letter.

    `where` is where it stood in the source, or where in the sink it was to go; `payload` keeps what is known of it.
    """

    where: str
    payload: Payload
    reason: str


# ---------------------------------------------------------------------------------------------------------- ingresses


class Arrival(NamedTuple):
    """A message as an ingress hands it in."""

    target: Address
    payload: Payload
    caller: Address | None = None
    """Where the function's reply goes: only ever the address of a request."""


class Inlet(Protocol):
    """What the runtime gives to an ingress."""

    def accept(
        self,
        arrivals: Sequence[Arrival],
        partition: str = "",
        position: bytes | None = None,
        rejected: Sequence[Rejected] = (),
    ) -> int:
        """Take messages, and in the same epoch the position of `partition` after them; return the epoch's number.

        `rejected` are records before that position that cannot become messages.

        After a restart nothing of an epoch that was not durable exists, neither messages nor position. Only the ingress
        reads its positions; `/status` shows one that is JSON as it is, others in hex.
        """
        ...

    async def room(self, typenames: Collection[str] = ()) -> None:
        """Wait until the runtime wants more. Call it before each `accept`; returns at once below the mark.

        `typenames` are those of the targets, if they are known: then one of these function types at least is not behind
        with its calls. What comes for the others meanwhile waits on disk.
        """

    async def durable(self, epoch: int) -> None:
        """Wait until `epoch` is durable: only then acknowledge. Raises StoreError if it will never be."""


class Request(NamedTuple):
    """Messages whose sender wants to know what became of them.

    Requests of the same `scope` and `key` are one and the same, which is done once; if their `fingerprint` differs,
    the later one is refused. Without a key every request is one of its own. One that awaits a reply is one message.
    """

    arrivals: Sequence[Arrival]
    awaits_reply: bool
    key: str | None
    scope: str = ""
    fingerprint: str = ""


class Requests(Protocol):
    """What the runtime gives to an ingress for requests."""

    async def ask(self, request: Request, seconds: float | None) -> Answer:
        """Hand in a request and wait for its answer, which is durable then; `seconds` bound the wait, None does not.

        Wait for room first. Raises TimeoutError when there is no answer in time: what is under way goes on. Raises
        StoreError if what was done will never be durable.
        """
        ...


class Ingress(Protocol):
    """A source of messages."""

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        """Check the source and start listening. `positions` are the last durable ones by partition."""

    async def run(self) -> None:
        """Feed the inlet until the source ends or the task is cancelled. Raises IngressError if it cannot go on."""

    async def stop(self) -> None:
        """Take nothing more, finish what was taken, release all resources. `run` was cancelled or has returned."""


# ----------------------------------------------------------------------------------------------------------- egresses


class OutboxBatch(NamedTuple):
    """The records of one durable epoch for one egress. (lineage, epoch) never names two different batches."""

    lineage: str
    epoch: int
    records: Sequence[Payload]


class Outlet(Protocol):
    """What the runtime gives to an egress."""

    @property
    def restored(self) -> bool:
        """Whether the position handed to `start` is that of a savepoint: the sink may have been written since."""
        return False

    def released(self, epoch: int, position: bytes | None = None) -> None:
        """Say that all records up to `epoch` are out, with 0 that none is. A later commit removes them from the outbox.

        `position` is kept by the commit that removes them and handed to `start` after a restart.
        """

    async def reject(self, batch: OutboxBatch, records: Mapping[int, Rejected]) -> OutboxBatch:
        """Make records of a batch, by their places, dead letters; return the batch without them once that is durable.

        After a restart the batch comes again so. Write the others then only. Raises StoreError if it is never durable.
        """
        ...


class Egress(Protocol):
    """A sink of records. Only durable records reach it."""

    async def start(self, outlet: Outlet, position: bytes | None) -> None:
        """Open the sink and bring it back to `position`, the last one that was committed (`None`: never)."""

    def write(self, batch: OutboxBatch) -> None:
        """Take a batch, in epoch order, and report it to the outlet when it is out; never blocks.

        A batch may be kept in memory until then: an egress has at most `outbox_memory` of what it did not report, the
        rest waits on disk. So it must report a batch without waiting for a further one. After a restart every batch
        that was not removed from the outbox comes again, in the same order, unchanged.
        """

    async def run(self) -> None:
        """Serve until the task is cancelled. Raises EgressError if the sink fails and the egress cannot go on."""

    async def stop(self) -> None:
        """Finish the batches that can be finished now, report them, release all resources. No `write` follows."""


# -------------------------------------------------------------------------------------------------------------- store


class Table(Enum):
    """The tables of a store. Keys are ordered as bytes within a table. Formats: `store/keys.py`, `store/rows.py`."""

    META = "meta"
    STATE = "state"
    SPECS = "specs"
    MAILBOX = "mailbox"
    DELAYED = "delayed"
    TOKENS = "tokens"
    POSITIONS = "positions"
    OUTBOX = "outbox"
    SINKS = "sinks"
    PARKED = "parked"
    DEAD_LETTERS = "dead_letters"
    JOURNAL = "journal"


@dataclass(slots=True)
class Changes:
    """One atomic change of the store: all deletes happen before all puts."""

    deletes: list[tuple[Table, bytes]] = field(default_factory=list[tuple[Table, bytes]])
    puts: list[tuple[Table, bytes, bytes]] = field(default_factory=list[tuple[Table, bytes, bytes]])


class Store(Protocol):
    """Durable tables. One writer; `commit` may run on a thread of its own while others read.

    After a failed `commit` the store must not be used again: what reached the disk is unknown.
    """

    def get_many(self, table: Table, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys`, in order; `None` for one that is not there."""
        ...

    def scan(self, table: Table, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Rows with start <= key < end in key order, as of the call."""
        ...

    def commit(self, changes: Changes) -> None:
        """Apply all of `changes` or nothing, and return only when it is on disk. Raises StoreError."""

    def checkpoint(self, path: Path) -> None:
        """Make a consistent copy of the last commit at `path`, which must not exist."""

    def close(self) -> None:
        """Release files and locks. Idempotent."""
