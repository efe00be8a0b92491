"""Items of the Kinesis egress for its tests."""

from statefun import kinesis_egress_message
from statefun_runtime.egress.kinesis_progress import Item, PendingBatch
from statefun_runtime.interfaces import OutboxBatch
from statefun_runtime.kinesis.client import PutRecord


def item(key: str, data: str = "") -> Item:
    """A record on its way, of some batch."""
    return Item(PendingBatch(OutboxBatch("lineage", 1, [b""])), 0, PutRecord(key, data.encode()))


def batch(epoch: int, *records: tuple[str, str, str]) -> OutboxBatch:
    """A batch of (stream, key, value)."""
    payloads = [kinesis_egress_message("a/out", stream, value, key).payload() for stream, key, value in records]
    return OutboxBatch("lineage", epoch, payloads)
