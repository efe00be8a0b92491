"""The last durable epoch, read back from a store."""

import uuid
from collections.abc import Iterator
from typing import NamedTuple

from statefun_runtime.epoch import DelayedMessage, OutboxEntry, Recovery
from statefun_runtime.interfaces import Message, Store, Table
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
    """Read what a restart needs. Messages and delayed messages are read while the engine takes them.

    An empty store begins a new lineage.
    """
    head = read_head(store)
    if head is None:
        return Recovery(lineage=uuid.uuid4().hex)
    return Recovery(
        lineage=head.lineage,
        epoch=head.epoch,
        sequence=head.sequence,
        time=head.time,
        messages=_messages(store),
        delayed=_delayed(store),
        positions=_positions(store),
        outbox=_outbox(store),
        sinks={keys.read_text(key)[0]: rows.read_sink(row) for key, row in store.scan(Table.SINKS)},
        specs={keys.read_text(key)[0]: rows.read_specs(row) for key, row in store.scan(Table.SPECS)},
        parked={keys.read_address(key)[0]: rows.read_parked(row) for key, row in store.scan(Table.PARKED)},
    )


def _messages(store: Store) -> Iterator[Message]:
    for key, row in store.scan(Table.MAILBOX):
        address, end = keys.read_address(key)
        yield rows.read_message(keys.read_number(key, end), address, row)


def _delayed(store: Store) -> Iterator[DelayedMessage]:
    for key, row in store.scan(Table.DELAYED):
        yield rows.read_delayed_row(keys.read_delayed(key), row)


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
