"""Gives what belongs to a function type to the type that it is called now.

Rows move in parts, each of them one commit. What is left over after a crash moves at the next start.
"""

from collections.abc import Iterator
from itertools import islice

from statefun_runtime.epoch import Pending
from statefun_runtime.errors import StoreError
from statefun_runtime.interfaces import Changes, Store, Table
from statefun_runtime.store import changes, keys, rows

_Rows = tuple[tuple[bytes, bytes], ...]

_PART = 10_000
"""Rows in one commit."""


def rename_function(store: Store, old: str, new: str) -> int:
    """Move states, waiting messages and tokens of the addresses of `old` to those of `new`; return how many rows.

    The addresses keep their ids. Callers and dead letters keep the old name.

    Raises:
        StoreError: An address has state under both names. Nothing was moved then.
    """
    _refuse_two_states(store, old, new)
    moved = 0
    for table in (Table.STATE, Table.PARKED):
        moved += sum(_commit(store, _moves(table, part, old, new)) for part in _parts(store, table, old))
    for part in _parts(store, Table.MAILBOX, old):
        moves = _moves(Table.MAILBOX, part, old, new)
        moved += _commit(store, moves, *_recounted(store, part, old, new))
    for part in _parts(store, Table.TOKENS, old):
        moved += _commit(store, _moves(Table.TOKENS, part, old, new), *_with_new_sender(store, part, new))
    _move_specs(store, old, new)
    return moved


def _parts(store: Store, table: Table, typename: str) -> Iterator[_Rows]:
    start = keys.text_key(typename)
    end = keys.after_prefix(start)
    while part := tuple(islice(store.scan(table, start, end), _PART)):
        yield part
        start = part[-1][0] + b"\0"


def _refuse_two_states(store: Store, old: str, new: str) -> None:
    for part in _parts(store, Table.STATE, old):
        renamed = [_renamed(key, old, new) for key, _ in part]
        for key, there in zip(renamed, store.get_many(Table.STATE, renamed), strict=True):
            if there is not None:
                identifier = keys.read_address(key)[0][1]
                raise StoreError(
                    f"{old}/{identifier} and {new}/{identifier} both have state, so that {old} cannot be another name "
                    f"of {new}; take the alias out of the config file, or restore a savepoint"
                )


def _renamed(key: bytes, old: str, new: str) -> bytes:
    return keys.text_key(new) + key[len(keys.text_key(old)) :]


def _moves(table: Table, part: _Rows, old: str, new: str) -> Changes:
    return Changes(
        deletes=[(table, key) for key, _ in part],
        puts=[(table, _renamed(key, old, new), row) for key, row in part],
    )


def _commit(store: Store, moves: Changes, *more: tuple[Table, bytes, bytes]) -> int:
    moved = len(moves.puts)
    moves.puts += more
    store.commit(moves)
    return moved


def _recounted(store: Store, part: _Rows, old: str, new: str) -> Iterator[tuple[Table, bytes, bytes]]:
    """The count of what waits, for the same commit as the messages."""
    [row] = store.get_many(Table.META, [changes.PENDING])
    pending = rows.read_pending(row) if row is not None else {}
    size = sum(len(rows.read_message(0, (old, ""), message)[3]) for _, message in part)
    for typename, sign in ((old, -1), (new, 1)):
        before = pending.pop(typename, Pending(0, 0))
        after = Pending(before.messages + sign * len(part), before.bytes + sign * size)
        if after.messages:
            pending[typename] = after
    yield Table.META, changes.PENDING, rows.pending_row(pending)


def _with_new_sender(store: Store, part: _Rows, new: str) -> Iterator[tuple[Table, bytes, bytes]]:
    """The delayed messages that hold these tokens: they let go of the token under the name of their sender."""
    held = [rows.read_bytes(row) for _, row in part]
    for key, row in zip(held, store.get_many(Table.DELAYED, held), strict=True):
        if row is not None:
            message = rows.read_delayed_row(keys.read_delayed(key), row)
            yield Table.DELAYED, key, rows.delayed_row(message._replace(caller=(new, message.caller[1])))


def _move_specs(store: Store, old: str, new: str) -> None:
    old_row, new_row = store.get_many(Table.SPECS, [keys.text_key(old), keys.text_key(new)])
    if old_row is not None:
        puts = [] if new_row is not None else [(Table.SPECS, keys.text_key(new), old_row)]
        store.commit(Changes(deletes=[(Table.SPECS, keys.text_key(old))], puts=puts))
