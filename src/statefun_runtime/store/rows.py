"""Values of the store. Every one begins with a byte that tells its format; an unknown format is refused."""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence

from statefun_runtime.epoch import (
    DeadLetter,
    DelayedKey,
    DelayedMessage,
    JournalEntry,
    LetterKind,
    Parked,
    Pending,
    SinkPosition,
    StateValues,
)
from statefun_runtime.errors import FormatError
from statefun_runtime.interfaces import Address, ExpireMode, FailureKind, Message, OutboxBatch, Payload, StateSpec

FORMAT = 1
FAILURE_FORMAT = 2
"""Of rows about failures: parked addresses and dead letters."""
_TAG = bytes([FORMAT])
_FAILURE_TAG = bytes([FAILURE_FORMAT])
_SINK_TAG = bytes([2])
"""Format 1 had no lineage."""
_VALUE = struct.Struct(">IQI")
_ADDRESSES = struct.Struct(">II")
_LENGTH = struct.Struct(">I")
_NO_ADDRESS = _ADDRESSES.pack(0, 0)


def _body(row: bytes, what: str, tag: bytes = _TAG) -> bytes:
    if row[:1] != tag:
        found = row[0] if row else "nothing"
        raise FormatError(
            f"a {what} has format {found}, this version reads {tag[0]}; "
            "start the version that wrote this data directory, or restore a savepoint of it"
        )
    return row[1:]


def state_row(values: StateValues) -> bytes:
    """All values of one address."""
    parts = [_TAG]
    for name, (touched, payload) in values.items():
        encoded = name.encode()
        parts += (_VALUE.pack(len(encoded), touched, len(payload)), encoded, payload)
    return b"".join(parts)


def read_state(row: bytes) -> StateValues:
    """The inverse of `state_row`."""
    body, at = _body(row, "state row"), 0
    values: StateValues = {}
    while at < len(body):
        name_length, touched, length = _VALUE.unpack_from(body, at)
        at += _VALUE.size
        name = body[at : at + name_length].decode()
        at += name_length
        values[name] = (touched, body[at : at + length])
        at += length
    return values


def _address(address: Address | None) -> bytes:
    if address is None:
        return _NO_ADDRESS
    typename, identifier = address
    first, second = typename.encode(), identifier.encode()
    return _ADDRESSES.pack(len(first), len(second)) + first + second


def _read_address(body: bytes, at: int) -> tuple[Address | None, int]:
    first, second = _ADDRESSES.unpack_from(body, at)
    at += _ADDRESSES.size
    middle, end = at + first, at + first + second
    address = (body[at:middle].decode(), body[middle:end].decode()) if first else None
    return address, end


def message_row(message: Message) -> bytes:
    """Caller and payload; sequence and target are in the key."""
    return _TAG + _address(message[2]) + message[3]


def read_message(sequence: int, target: Address, row: bytes) -> Message:
    """The inverse of `message_row`."""
    body = _body(row, "message")
    caller, at = _read_address(body, 0)
    return sequence, target, caller, body[at:]


def delayed_row(message: DelayedMessage) -> bytes:
    """Everything but due time and sequence, which are in the key."""
    token = message.token.encode()
    parts = (_TAG, _address(message.target), _address(message.caller), _LENGTH.pack(len(token)), token, message.payload)
    return b"".join(parts)


def read_delayed_row(key: DelayedKey, row: bytes) -> DelayedMessage:
    """The inverse of `delayed_row`."""
    body = _body(row, "delayed message")
    target, at = _read_address(body, 0)
    caller, at = _read_address(body, at)
    if target is None or caller is None:
        raise FormatError(f"the delayed message {key} has no target or no sender; the store is damaged")
    (length,) = _LENGTH.unpack_from(body, at)
    at += _LENGTH.size
    return DelayedMessage(*key, target, caller, body[at + length :], body[at : at + length].decode())


def outbox_row(lineage: str, records: Sequence[Payload]) -> bytes:
    """The records of one epoch for one egress."""
    parts = [_TAG]
    for record in (lineage.encode(), *records):
        parts.append(_LENGTH.pack(len(record)))
        parts.append(record)
    return b"".join(parts)


def read_outbox(epoch: int, row: bytes) -> OutboxBatch:
    """The inverse of `outbox_row`."""
    body = _body(row, "outbox row")
    fields = list(_fields(body))
    return OutboxBatch(fields[0].decode(), epoch, fields[1:])


def sink_row(lineage: str, position: bytes) -> bytes:
    """Where an egress is in its sink, and in which lineage it came there."""
    encoded = lineage.encode()
    return _SINK_TAG + _LENGTH.pack(len(encoded)) + encoded + position


def read_sink(row: bytes) -> SinkPosition:
    """The inverse of `sink_row`."""
    body = _body(row, "position of an egress", _SINK_TAG)
    (length,) = _LENGTH.unpack_from(body, 0)
    end = _LENGTH.size + length
    return SinkPosition(body[_LENGTH.size : end].decode(), body[end:])


def _fields(body: bytes) -> Iterable[bytes]:
    at = 0
    while at < len(body):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        yield body[at : at + length]
        at += length


def specs_row(specs: Iterable[StateSpec]) -> bytes:
    """The states that a function type has declared."""
    return _TAG + json.dumps([[s.name, s.typename, s.mode.value, s.expire_after] for s in specs]).encode()


def read_specs(row: bytes) -> dict[str, StateSpec]:
    """The inverse of `specs_row`."""
    fields = json.loads(_body(row, "state spec"))
    return {name: StateSpec(name, typename, ExpireMode(mode), after) for name, typename, mode, after in fields}


def parked_row(parked: Parked) -> bytes:
    """Why an address is parked."""
    fields = [parked.since, parked.attempts, parked.reason, parked.kind.value, parked.messages]
    return _FAILURE_TAG + json.dumps(fields).encode()


def read_parked(row: bytes) -> Parked:
    """The inverse of `parked_row`."""
    since, attempts, reason, kind, messages = json.loads(_body(row, "parked address", _FAILURE_TAG))
    return Parked(since, attempts, reason, FailureKind(kind), messages)


def dead_letter_row(letter: DeadLetter) -> bytes:
    """A dead letter; its number is in the key."""
    fields = [letter.time, letter.kind.value, letter.destination, letter.message[1], letter.reason, letter.attempts]
    parts = (json.dumps(fields).encode(), state_row(letter.state), message_row(letter.message))
    return _FAILURE_TAG + b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def read_dead_letter(number: int, row: bytes) -> DeadLetter:
    """The inverse of `dead_letter_row`."""
    head, state, message = _fields(_body(row, "dead letter", _FAILURE_TAG))
    time, kind, destination, (typename, identifier), reason, attempts = json.loads(head)
    letter = read_message(number, (typename, identifier), message)
    return DeadLetter(time, LetterKind(kind), destination, letter, reason, attempts, read_state(state))


def journal_row(entry: JournalEntry) -> bytes:
    """What an operator did; its number is in the key."""
    return _TAG + json.dumps(entry[1:]).encode()


def read_journal(number: int, row: bytes) -> JournalEntry:
    """The inverse of `journal_row`."""
    time, action, target, who, detail = json.loads(_body(row, "journal entry"))
    return JournalEntry(number, time, action, target, who, detail)


def pending_row(pending: Mapping[str, Pending]) -> bytes:
    """How much waits at each function type."""
    return _TAG + json.dumps(pending).encode()


def read_pending(row: bytes) -> dict[str, Pending]:
    """The inverse of `pending_row`."""
    fields = json.loads(_body(row, "count of messages"))
    return {typename: Pending(*counts) for typename, counts in fields.items()}


def number_row(number: int) -> bytes:
    """A number of the store's own: epoch, sequence, time."""
    return _TAG + str(number).encode()


def read_number_row(row: bytes) -> int:
    """The inverse of `number_row`."""
    return int(_body(row, "number"))


def bytes_row(value: bytes) -> bytes:
    """An opaque value: the position of an ingress, the lineage."""
    return _TAG + value


def read_bytes(row: bytes) -> bytes:
    """The inverse of `bytes_row`."""
    return _body(row, "value")
