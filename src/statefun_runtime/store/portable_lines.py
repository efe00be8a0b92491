"""The kinds of lines of an export: each stands for one row of a table."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from statefun_runtime.epoch import DeadLetter, DelayedMessage, JournalEntry, LetterKind, Parked, StateValues
from statefun_runtime.interfaces import Address, ExpireMode, FailureKind, StateSpec, Table
from statefun_runtime.store import keys, rows
from statefun_runtime.store.portable_values import (
    Model,
    PortableBytes,
    PortableValue,
    from_base64,
    portable_bytes,
    to_base64,
    value_fields,
)

Row: TypeAlias = tuple[Table, bytes, bytes]
Number: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 63)]
Specs: TypeAlias = Mapping[str, Mapping[str, StateSpec]]
"""By typename and name of the state."""


class At(Model):
    """An address."""

    type: Annotated[str, Field(min_length=1)]
    id: str

    @property
    def address(self) -> Address:
        return self.type, self.id


class Stored(PortableValue):
    """A value of a state. `touched` is the time from which it expires; `expires_at` only tells when that will be."""

    touched: Number
    expires_at: int | None = None


class State(At):
    """All values of an address."""

    kind: Literal["state"] = "state"
    values: dict[str, Stored]

    def row(self) -> Row:
        return Table.STATE, keys.address_key(self.address), rows.state_row(_values(self.values))


class Declared(Model):
    """A state of a function; `expire_after` is in milliseconds."""

    name: str
    typename: str
    expires: Literal["never", "after_write", "after_call"]
    expire_after: Number


class Function(Model):
    """The states that a function has declared."""

    kind: Literal["function"] = "function"
    type: str
    states: list[Declared]

    def row(self) -> Row:
        specs = [StateSpec(s.name, s.typename, ExpireMode[s.expires.upper()], s.expire_after) for s in self.states]
        return Table.SPECS, keys.text_key(self.type), rows.specs_row(specs)


class Waiting(Model):
    """A message in a mailbox. The order of a mailbox is that of the sequences."""

    kind: Literal["message"] = "message"
    sequence: Number
    target: At
    caller: At | None
    message: PortableValue

    def row(self) -> Row:
        caller = self.caller.address if self.caller else None
        message = (self.sequence, self.target.address, caller, self.message.encoded())
        return Table.MAILBOX, keys.message_key(message), rows.message_row(message)


class Delayed(Model):
    """A message that is not due yet."""

    kind: Literal["delayed"] = "delayed"
    due: Number
    sequence: Number
    target: At
    sender: At
    token: str
    message: PortableValue

    def row(self) -> Row:
        payload = self.message.encoded()
        message = DelayedMessage(self.due, self.sequence, self.target.address, self.sender.address, payload, self.token)
        return Table.DELAYED, keys.delayed_key(message.key), rows.delayed_row(message)


class Position(Model):
    """How far an ingress has come in a partition."""

    kind: Literal["position"] = "position"
    ingress: str
    partition: str
    position: PortableBytes

    def row(self) -> Row:
        key = keys.pair_key(self.ingress, self.partition)
        return Table.POSITIONS, key, rows.bytes_row(self.position.encoded())


class Outbox(Model):
    """Records of one epoch that an egress has not yet written."""

    kind: Literal["outbox"] = "outbox"
    egress: str
    lineage: str
    epoch: Number
    records: list[PortableValue]

    def row(self) -> Row:
        records = [record.encoded() for record in self.records]
        return Table.OUTBOX, keys.numbered_key(self.egress, self.epoch), rows.outbox_row(self.lineage, records)


class Sink(Model):
    """How far an egress has come, and in which lineage."""

    kind: Literal["egress_position"] = "egress_position"
    egress: str
    lineage: str
    position: PortableBytes

    def row(self) -> Row:
        return Table.SINKS, keys.text_key(self.egress), rows.sink_row(self.lineage, self.position.encoded())


class ParkedAt(At):
    """An address that is parked; the first `messages` of its mailbox are those of the call that failed."""

    kind: Literal["parked"] = "parked"
    since: int
    attempts: int
    reason: str
    failure: str
    messages: int

    def row(self) -> Row:
        parked = Parked(self.since, self.attempts, self.reason, FailureKind(self.failure), self.messages)
        return Table.PARKED, keys.address_key(self.address), rows.parked_row(parked)


class Letter(Model):
    """A dead letter, with the state that the function saw."""

    kind: Literal["dead_letter"] = "dead_letter"
    number: Number
    time: int
    what: str
    destination: str
    target: At
    caller: At | None
    reason: str
    attempts: int
    state: dict[str, Stored]
    message: PortableValue

    def row(self) -> Row:
        caller = self.caller.address if self.caller else None
        message = (self.number, self.target.address, caller, self.message.encoded())
        kind, state = LetterKind(self.what), _values(self.state)
        letter = DeadLetter(self.time, kind, self.destination, message, self.reason, self.attempts, state)
        return Table.DEAD_LETTERS, keys.number_key(self.number), rows.dead_letter_row(letter)


class Done(Model):
    """What an operator did."""

    kind: Literal["journal"] = "journal"
    number: Number
    time: int
    action: str
    target: str
    who: str
    detail: str

    def row(self) -> Row:
        entry = JournalEntry(self.number, self.time, self.action, self.target, self.who, self.detail)
        return Table.JOURNAL, keys.number_key(self.number), rows.journal_row(entry)


class Raw(Model):
    """A row as it is stored, in base64."""

    kind: Literal["row"] = "row"
    table: str
    key: str
    content: str

    def row(self) -> Row:
        return Table(self.table), from_base64(self.key), from_base64(self.content)


Line: TypeAlias = Annotated[
    State | Function | Waiting | Delayed | Position | Outbox | Sink | ParkedAt | Letter | Done | Raw,
    Field(discriminator="kind"),
]


def line_of(table: Table, key: bytes, row: bytes, specs: Specs) -> Line:
    """The line that stands for a row. Raises FormatError if the row has a format that is not known."""
    read = _READERS.get(table)
    line = read(key, row, specs) if read else None
    # What a line could not give back unchanged is exported as it is.
    if line is None or line.row() != (table, key, row):
        return Raw(table=table.value, key=to_base64(key), content=to_base64(row))
    return line


def _values(stored: Mapping[str, Stored]) -> StateValues:
    return {name: (value.touched, value.encoded()) for name, value in stored.items()}


def _stored(values: StateValues, specs: Mapping[str, StateSpec]) -> dict[str, Stored]:
    stored: dict[str, Stored] = {}
    for name, (touched, payload) in values.items():
        fields = value_fields(payload)
        spec = specs.get(name)
        if spec is not None and spec.mode is not ExpireMode.NEVER:
            fields["expires_at"] = touched + spec.expire_after
        stored[name] = Stored(touched=touched, **fields)
    return stored


def _at(address: Address | None) -> At | None:
    return None if address is None else At(type=address[0], id=address[1])


def _of(address: Address) -> At:
    return At(type=address[0], id=address[1])


def _state(key: bytes, row: bytes, specs: Specs) -> State:
    (typename, identifier), _ = keys.read_address(key)
    return State(type=typename, id=identifier, values=_stored(rows.read_state(row), specs.get(typename, {})))


def _function(key: bytes, row: bytes, _: Specs) -> Function:
    states = [
        Declared(name=s.name, typename=s.typename, expires=_EXPIRES[s.mode], expire_after=s.expire_after)
        for s in rows.read_specs(row).values()
    ]
    return Function(type=keys.read_text(key)[0], states=states)


def _message(key: bytes, row: bytes, _: Specs) -> Waiting:
    address, end = keys.read_address(key)
    sequence, target, caller, payload = rows.read_message(keys.read_number(key, end), address, row)
    value = PortableValue(**value_fields(payload))
    return Waiting(sequence=sequence, target=_of(target), caller=_at(caller), message=value)


def _delayed(key: bytes, row: bytes, _: Specs) -> Delayed:
    due, sequence, target, sender, payload, token = rows.read_delayed_row(keys.read_delayed(key), row)
    value = PortableValue(**value_fields(payload))
    return Delayed(due=due, sequence=sequence, target=_of(target), sender=_of(sender), token=token, message=value)


def _position(key: bytes, row: bytes, _: Specs) -> Position:
    ingress, end = keys.read_text(key)
    position = portable_bytes(rows.read_bytes(row))
    return Position(ingress=ingress, partition=keys.read_text(key, end)[0], position=position)


def _outbox(key: bytes, row: bytes, _: Specs) -> Outbox:
    egress, end = keys.read_text(key)
    batch = rows.read_outbox(keys.read_number(key, end), row)
    records = [PortableValue(**value_fields(record)) for record in batch.records]
    return Outbox(egress=egress, lineage=batch.lineage, epoch=batch.epoch, records=records)


def _sink(key: bytes, row: bytes, _: Specs) -> Sink:
    lineage, position = rows.read_sink(row)
    return Sink(egress=keys.read_text(key)[0], lineage=lineage, position=portable_bytes(position))


def _parked(key: bytes, row: bytes, _: Specs) -> ParkedAt:
    (typename, identifier), _end = keys.read_address(key)
    since, attempts, reason, kind, messages = rows.read_parked(row)
    return ParkedAt(
        type=typename,
        id=identifier,
        since=since,
        attempts=attempts,
        reason=reason,
        failure=kind.value,
        messages=messages,
    )


def _letter(key: bytes, row: bytes, _: Specs) -> Letter:
    letter = rows.read_dead_letter(keys.read_number(key, 0), row)
    number, target, caller, payload = letter.message
    return Letter(
        number=number,
        time=letter.time,
        what=letter.kind.value,
        destination=letter.destination,
        target=_of(target),
        caller=_at(caller),
        reason=letter.reason,
        attempts=letter.attempts,
        state=_stored(letter.state, {}),
        message=PortableValue(**value_fields(payload)),
    )


def _done(key: bytes, row: bytes, _: Specs) -> Done:
    return Done(**rows.read_journal(keys.read_number(key, 0), row)._asdict())


_EXPIRES: Mapping[ExpireMode, Any] = MappingProxyType({mode: mode.name.lower() for mode in ExpireMode})
_READERS: Mapping[Table, Callable[[bytes, bytes, Specs], Line]] = MappingProxyType(
    {
        Table.SPECS: _function,
        Table.STATE: _state,
        Table.MAILBOX: _message,
        Table.DELAYED: _delayed,
        Table.POSITIONS: _position,
        Table.OUTBOX: _outbox,
        Table.SINKS: _sink,
        Table.PARKED: _parked,
        Table.DEAD_LETTERS: _letter,
        Table.JOURNAL: _done,
    }
)
