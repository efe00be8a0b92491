"""The last durable epoch, read back from a store."""

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from statefun_runtime.epoch import OutboxEntry, Recovery
from statefun_runtime.errors import FormatError
from statefun_runtime.interfaces import Address, Changes, FailureKind, Store, Table
from statefun_runtime.store import changes, keys, rows


class Head(NamedTuple):
    """Which epoch a store holds."""

    lineage: str
    epoch: int
    sequence: int
    time: int


def read_head(store: Store) -> Head | None:
    """The last durable epoch; `None` if there was none."""
    names = [changes.LINEAGE, changes.EPOCH, changes.SEQUENCE, changes.TIME]
    lineage, *numbers = store.get_many(Table.META, names)
    if lineage is None:
        return None
    epoch, sequence, time = (0 if row is None else rows.read_number_row(row) for row in numbers)
    return Head(rows.read_bytes(lineage).decode(), epoch, sequence, time)


def recover(store: Store) -> Recovery:
    """Read what a restart needs at once; what waits is counted only, and read when there is room for it.

    An empty store begins a new lineage.

    Raises:
        FormatError: Rows that every epoch writes are missing.
    """
    head = read_head(store)
    if head is None:
        return Recovery(lineage=uuid.uuid4().hex)
    waiting, pending = store.get_many(Table.META, [changes.WAITING, changes.PENDING])
    if waiting is None or pending is None:
        raise FormatError("the store does not tell how much waits; it is damaged or foreign")
    return Recovery(
        lineage=head.lineage,
        epoch=head.epoch,
        sequence=head.sequence,
        time=head.time,
        delayed=rows.read_number_row(waiting),
        pending=rows.read_pending(pending),
        positions=_positions(store),
        outbox=_outbox(store),
        sinks={keys.read_text(key)[0]: rows.read_sink(row) for key, row in store.scan(Table.SINKS)},
        specs={keys.read_text(key)[0]: rows.read_specs(row) for key, row in store.scan(Table.SPECS)},
        parked=dict(Counter(keys.read_text(key)[0] for key, _ in store.scan(Table.PARKED))),
        letter_bytes=_letter_bytes(store),
    )


def release_misconfigured(store: Store) -> None:
    """Park those addresses no longer that parked because the application was wrong: it may be right now."""
    deletes = [(Table.PARKED, key) for key in _misconfigured(store)]
    if deletes:
        store.commit(Changes(deletes=deletes))


def find_misconfigured(store: Store) -> list[Address]:
    """The addresses that parked because the application was wrong."""
    return [keys.read_address(key)[0] for key in _misconfigured(store)]


def _misconfigured(store: Store) -> Iterator[bytes]:
    for key, row in store.scan(Table.PARKED):
        if rows.read_parked(row).kind is FailureKind.MISCONFIGURED:
            yield key


def _letter_bytes(store: Store) -> int:
    [row] = store.get_many(Table.META, [changes.LETTERS])
    # A store of a version before there was this row has it from its next epoch on.
    return count_letter_bytes(store) if row is None else rows.read_number_row(row)


def count_letter_bytes(store: Store) -> int:
    """The sizes of all dead letters in a store."""
    return sum(rows.read_dead_letter(keys.read_number(key, 0), row).size for key, row in store.scan(Table.DEAD_LETTERS))


def _positions(store: Store) -> dict[str, dict[str, bytes]]:
    positions: dict[str, dict[str, bytes]] = {}
    for key, row in store.scan(Table.POSITIONS):
        ingress, end = keys.read_text(key)
        partition, _ = keys.read_text(key, end)
        positions.setdefault(ingress, {})[partition] = rows.read_bytes(row)
    return positions


def _outbox(store: Store) -> dict[str, list[OutboxEntry]]:
    outbox: dict[str, list[OutboxEntry]] = {}
    for key, row in store.scan(Table.OUTBOX):
        egress, end = keys.read_text(key)
        batch = rows.read_outbox(keys.read_number(key, end), row)
        outbox.setdefault(egress, []).append(OutboxEntry.of(batch))
    return outbox
