"""An epoch as the atomic change of the store that makes it durable."""

from statefun_runtime.epoch import Epoch
from statefun_runtime.interfaces import Changes, Table
from statefun_runtime.store import keys, rows

EPOCH, SEQUENCE, TIME, LINEAGE = b"epoch", b"sequence", b"time", b"lineage"
WAITING, PENDING, LETTERS = b"waiting", b"pending", b"letters"


def changes_of(epoch: Epoch, lineage: str) -> Changes:
    """What committing `epoch` writes and deletes."""
    changes = Changes()
    _put_messages(epoch, changes)
    _put_delayed(epoch, changes)
    _put_state(epoch, changes)
    _put_egress(epoch, changes, lineage)
    _put_operations(epoch, changes)
    changes.puts += (
        (Table.META, EPOCH, rows.number_row(epoch.number)),
        (Table.META, SEQUENCE, rows.number_row(epoch.sequence)),
        (Table.META, TIME, rows.number_row(epoch.time)),
        (Table.META, LINEAGE, rows.bytes_row(lineage.encode())),
        (Table.META, WAITING, rows.number_row(epoch.waiting)),
        (Table.META, PENDING, rows.pending_row(epoch.pending)),
        (Table.META, LETTERS, rows.number_row(epoch.letter_bytes)),
    )
    return changes


def _put_messages(epoch: Epoch, changes: Changes) -> None:
    changes.deletes += [(Table.MAILBOX, keys.message_key(message)) for message in epoch.dead]
    changes.puts += [
        (Table.MAILBOX, keys.message_key(message), rows.message_row(message)) for message in epoch.born.values()
    ]


def _put_delayed(epoch: Epoch, changes: Changes) -> None:
    changes.deletes += [(Table.DELAYED, keys.delayed_key(key)) for key in epoch.delayed_gone]
    changes.puts += [
        (Table.DELAYED, keys.delayed_key(key), rows.delayed_row(message)) for key, message in epoch.delayed.items()
    ]
    changes.deletes += [(Table.TOKENS, keys.token_key(token)) for token in epoch.tokens_gone]
    changes.puts += [
        (Table.TOKENS, keys.token_key(token), rows.bytes_row(keys.delayed_key(key)))
        for token, key in epoch.tokens.items()
    ]


def _put_state(epoch: Epoch, changes: Changes) -> None:
    for address, values in epoch.state.items():
        key = keys.address_key(address)
        if values:
            changes.puts.append((Table.STATE, key, rows.state_row(values)))
        else:
            changes.deletes.append((Table.STATE, key))
    for typename, specs in epoch.specs.items():
        changes.puts.append((Table.SPECS, keys.text_key(typename), rows.specs_row(specs.values())))


def _put_egress(epoch: Epoch, changes: Changes, lineage: str) -> None:
    for egress, number in epoch.outbox_gone:
        changes.deletes.append((Table.OUTBOX, keys.numbered_key(egress, number)))
    for egress, records in epoch.outbox.items():
        row = rows.outbox_row(lineage, records)
        changes.puts.append((Table.OUTBOX, keys.numbered_key(egress, epoch.number), row))
    for (egress, number), left in epoch.outbox_left.items():
        row = rows.outbox_row(left.lineage, left.records)
        changes.puts.append((Table.OUTBOX, keys.numbered_key(egress, number), row))
    for egress, position in epoch.sinks.items():
        changes.puts.append((Table.SINKS, keys.text_key(egress), rows.sink_row(lineage, position)))


def _put_operations(epoch: Epoch, changes: Changes) -> None:
    for (ingress, partition), position in epoch.positions.items():
        changes.puts.append((Table.POSITIONS, keys.pair_key(ingress, partition), rows.bytes_row(position)))
    for address, parked in epoch.parked.items():
        key = keys.address_key(address)
        if parked is None:
            changes.deletes.append((Table.PARKED, key))
        else:
            changes.puts.append((Table.PARKED, key, rows.parked_row(parked)))
    changes.deletes += [(Table.DEAD_LETTERS, keys.number_key(number)) for number in epoch.dead_letters_gone]
    for letter in epoch.dead_letters:
        changes.puts.append((Table.DEAD_LETTERS, keys.number_key(letter.number), rows.dead_letter_row(letter)))
    for entry in epoch.journal:
        changes.puts.append((Table.JOURNAL, keys.number_key(entry.number), rows.journal_row(entry)))
