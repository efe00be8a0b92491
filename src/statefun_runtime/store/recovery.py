"""The last durable epoch, read back from a store."""

import uuid
from collections.abc import Iterator

from statefun_runtime.epoch import DelayedMessage, OutboxEntry, Recovery
from statefun_runtime.interfaces import Message, Store, Table
from statefun_runtime.store import changes, keys, rows


def recover(store: Store) -> Recovery:
    """Read what a restart needs. Messages and delayed messages are read while the engine takes them.

    An empty store begins a new lineage.
    """
    names = [changes.EPOCH, changes.SEQUENCE, changes.TIME, changes.LINEAGE]
    epoch, sequence, time, lineage = store.get_many(Table.META, names)
    if epoch is None or sequence is None or time is None or lineage is None:
        return Recovery(lineage=uuid.uuid4().hex)
    return Recovery(
        lineage=rows.read_bytes(lineage).decode(),
        epoch=rows.read_number_row(epoch),
        sequence=rows.read_number_row(sequence),
        time=rows.read_number_row(time),
        messages=_messages(store),
        delayed=_delayed(store),
        positions=_positions(store),
        outbox=_outbox(store),
        sinks={keys.read_text(key)[0]: rows.read_bytes(row) for key, row in store.scan(Table.SINKS)},
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
