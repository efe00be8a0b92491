"""Records that an ingress cannot turn into messages and records that a sink refuses: they become dead letters."""

from collections.abc import Mapping, Sequence

from statefun_runtime.engine.engine import Engine
from statefun_runtime.epoch import DeadLetter, LetterKind
from statefun_runtime.interfaces import OutboxBatch, Rejected


def reject_records(engine: Engine, ingress: str, records: Sequence[Rejected]) -> None:
    """Make records that an ingress rejects dead letters, in the open epoch."""
    for record in records:
        _bury(engine, LetterKind.INGRESS_RECORD, ingress, record)


def reject_from(engine: Engine, egress: str, batch: OutboxBatch, records: Mapping[int, Rejected]) -> OutboxBatch:
    """Move records of a durable batch, by their places, from the outbox to the dead letters, in the open epoch.

    Returns:
        The batch without them, as the outbox has it from then on.
    """
    for place in sorted(records):
        _bury(engine, LetterKind.EGRESS_RECORD, egress, records[place])
    kept = [record for place, record in enumerate(batch.records) if place not in records]
    left = batch._replace(records=kept)
    engine.epoch.outbox_left[egress, batch.epoch] = left
    return left


def _bury(engine: Engine, kind: LetterKind, component: str, record: Rejected) -> None:
    message = (engine.next_sequence(), (component, record.where), None, record.payload)
    letter = DeadLetter(engine.now, kind, component, message, record.reason, 0, {})
    engine.dead_letters.put_aside(letter, engine.epoch)
