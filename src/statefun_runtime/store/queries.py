"""What stands in the store for single addresses and in ranges, as the engine asks for it."""

from collections.abc import Sequence
from itertools import islice

from statefun_runtime.epoch import DelayedKey, DelayedMessage, Parked, StateValues, Token
from statefun_runtime.interfaces import Address, Message, Store, Table
from statefun_runtime.store import keys, rows


def read_values(store: Store, addresses: Sequence[Address]) -> list[StateValues]:
    """The durable values of each address, in order; none for one that has no row. Expired values are among them."""
    found = store.get_many(Table.STATE, [keys.address_key(address) for address in addresses])
    return [rows.read_state(row) if row is not None else {} for row in found]


def read_parked(store: Store, addresses: Sequence[Address]) -> list[Parked | None]:
    """Why each address is parked, in order; None for one that is not."""
    found = store.get_many(Table.PARKED, [keys.address_key(address) for address in addresses])
    return [rows.read_parked(row) if row is not None else None for row in found]


def read_tokens(store: Store, tokens: Sequence[Token]) -> dict[Token, DelayedKey | None]:
    """The key of the delayed message that holds each token, None if none does."""
    found = store.get_many(Table.TOKENS, [keys.token_key(token) for token in tokens])
    held = [keys.read_delayed(rows.read_bytes(row)) if row is not None else None for row in found]
    return dict(zip(tokens, held, strict=True))


def read_messages(store: Store, address: Address, after: int, limit: int) -> tuple[list[Message], bool]:
    """The first messages of an address after a sequence, at most `limit`, and whether these are all."""
    start, end = keys.sequence_key(address, after + 1), keys.after_prefix(keys.address_key(address))
    found = list(islice(store.scan(Table.MAILBOX, start, end), limit + 1))
    sequence_at = len(start) - keys.NUMBER_BYTES
    messages = [rows.read_message(keys.read_number(key, sequence_at), address, row) for key, row in found[:limit]]
    return messages, len(found) <= limit


def read_waiting(store: Store, typename: str, start: str, limit: int) -> tuple[list[str], bool]:
    """The first ids from `start` on that have messages, at most `limit`, and whether these are all of the type."""
    end = keys.after_prefix(keys.text_key(typename))
    at = keys.address_key((typename, start))
    found: list[str] = []
    while True:
        row = next(store.scan(Table.MAILBOX, at, end), None)
        if row is None:
            return found, True
        if len(found) == limit:
            return found, False
        (_, identifier), _ = keys.read_address(row[0])
        found.append(identifier)
        at = keys.after_prefix(keys.address_key((typename, identifier))) or b""


def read_delayed(store: Store, after: DelayedKey, limit: int) -> tuple[list[DelayedMessage], bool]:
    """The first delayed messages after a key, at most `limit`, and whether these are all."""
    due, sequence = after
    start = keys.delayed_key((due, sequence + 1)) if due >= 0 else b""
    found = list(islice(store.scan(Table.DELAYED, start), limit + 1))
    return [rows.read_delayed_row(keys.read_delayed(key), row) for key, row in found[:limit]], len(found) <= limit
