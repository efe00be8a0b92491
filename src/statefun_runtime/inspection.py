"""Reads a data directory without owning it, beside a live runtime or after it has stopped."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from statefun_runtime.epoch import DeadLetter, DelayedMessage, JournalEntry, Parked, StateValues
from statefun_runtime.interfaces import Address, Message, Payload, Table
from statefun_runtime.store import keys, rows
from statefun_runtime.store.queries import read_values
from statefun_runtime.store.rocksdb import RocksDBStore


class StateRecord(NamedTuple):
    """A durable value: of which address, under which name, and its encoded `TypedValue`."""

    typename: str
    id: str
    name: str
    payload: Payload


def read_states(data_dir: Path, typename: str | None = None, id_prefix: str = "") -> Iterator[StateRecord]:
    """All durable values, ordered by address; expired ones that were not yet deleted too.

    Args:
        data_dir: The data directory of a runtime.
        typename: Only of this function type.
        id_prefix: Only of ids that begin so; needs a typename.

    Raises:
        StoreError: There is no readable store.
    """
    start, end = _range(typename, id_prefix)
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        for key, row in store.scan(Table.STATE, start, end):
            (found, identifier), _ = keys.read_address(key)
            for name, (_, payload) in rows.read_state(row).items():
                yield StateRecord(found, identifier, name, payload)


def _range(typename: str | None, id_prefix: str) -> tuple[bytes, bytes | None]:
    if typename is None:
        return b"", None
    # Without the NUL that ends a text, its ordered form is a prefix of those of all longer ones.
    start = keys.text_key(typename) + keys.text_key(id_prefix)[:-1]
    return start, keys.after_prefix(start)


def read_parked(data_dir: Path, typename: str | None = None, id_prefix: str = "") -> Iterator[tuple[Address, Parked]]:
    """The addresses that are parked, and why; chosen as by `read_states`.

    Raises:
        StoreError: There is no readable store.
    """
    start, end = _range(typename, id_prefix)
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        for key, row in store.scan(Table.PARKED, start, end):
            yield keys.read_address(key)[0], rows.read_parked(row)


def read_mailbox(data_dir: Path, address: Address) -> Iterator[Message]:
    """The messages that wait for an address, in the order in which they will be delivered.

    Raises:
        StoreError: There is no readable store.
    """
    start = keys.address_key(address)
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        for key, row in store.scan(Table.MAILBOX, start, keys.after_prefix(start)):
            yield rows.read_message(keys.read_number(key, len(start)), address, row)


def read_values_of(data_dir: Path, address: Address) -> StateValues:
    """The durable values of one address, expired ones that were not yet deleted too.

    Raises:
        StoreError: There is no readable store.
    """
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        return read_values(store, [address])[0]


def read_delayed(data_dir: Path, typename: str | None = None, id_prefix: str = "") -> Iterator[DelayedMessage]:
    """The messages that are not yet due, in due order; chosen by their targets as by `read_states`.

    Raises:
        StoreError: There is no readable store.
    """
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        for key, row in store.scan(Table.DELAYED):
            message = rows.read_delayed_row(keys.read_delayed(key), row)
            if _matches(message.target, typename, id_prefix):
                yield message


def read_dead_letters(data_dir: Path, typename: str | None = None, id_prefix: str = "") -> Iterator[DeadLetter]:
    """The dead letters by number; chosen by the targets of their messages as by `read_states`.

    Raises:
        StoreError: There is no readable store.
    """
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        for key, row in store.scan(Table.DEAD_LETTERS):
            letter = rows.read_dead_letter(keys.read_number(key, 0), row)
            if _matches(letter.message[1], typename, id_prefix):
                yield letter


def read_dead_letter(data_dir: Path, number: int) -> DeadLetter | None:
    """The dead letter of this number.

    Raises:
        StoreError: There is no readable store.
    """
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        [row] = store.get_many(Table.DEAD_LETTERS, [keys.number_key(number)])
        return None if row is None else rows.read_dead_letter(number, row)


def read_journal(data_dir: Path) -> Iterator[JournalEntry]:
    """What operators did, oldest first.

    Raises:
        StoreError: There is no readable store.
    """
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        for key, row in store.scan(Table.JOURNAL):
            yield rows.read_journal(keys.read_number(key, 0), row)


def _matches(address: Address, typename: str | None, id_prefix: str) -> bool:
    return typename is None or (address[0] == typename and address[1].startswith(id_prefix))


def count_parked_messages(data_dir: Path) -> int:
    """How many messages wait at addresses that are parked.

    Raises:
        StoreError: There is no readable store.
    """
    with closing(RocksDBStore(data_dir, read_only=True)) as store:
        addresses = [key for key, _ in store.scan(Table.PARKED)]
        return sum(1 for key in addresses for _ in store.scan(Table.MAILBOX, key, keys.after_prefix(key)))
