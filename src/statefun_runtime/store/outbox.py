"""The records of an egress that wait on disk."""

from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import OutboxBatch, Store, Table
from statefun_runtime.store import keys, rows


def read_batch(store: Store, egress: str, epoch: int) -> OutboxBatch:
    """The records of one durable epoch. Raises StoreError if they are not there."""
    [row] = store.get_many(Table.OUTBOX, [keys.numbered_key(egress, epoch)])
    if row is None:
        raise StoreError(f"the records of epoch {epoch} for {egress} are not in the store any more; it is damaged")
    return rows.read_outbox(epoch, row)
