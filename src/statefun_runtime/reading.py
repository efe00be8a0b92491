"""Reads from a store what the engine asks for, and tells it."""

from collections.abc import Sequence

from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.reads import ColdAddress, ColdRange, Page, Reads, Stored
from statefun_runtime.epoch import Parked
from statefun_runtime.interfaces import Address, Message, Store
from statefun_runtime.store.queries import (
    read_delayed,
    read_messages,
    read_parked,
    read_tokens,
    read_values,
    read_waiting,
)

COLD_MESSAGES = 100
"""Messages that a cold address brings along; its further ones come by the page."""


def answer_reads(engine: Engine, store: Store) -> bool:
    """Answer all that the engine asks for now; false if it asks for nothing."""
    reads = engine.take_reads()
    if reads is None:
        return False
    answer_ranges(engine, store, reads)
    for mailbox, stored in read_stored(store, reads.states):
        engine.mailboxes.loaded(mailbox, stored)
    for page in reads.pages:
        messages, is_last = read_page(store, page)
        engine.mailboxes.paged_in(page, messages, is_last=is_last)
    return True


def answer_ranges(engine: Engine, store: Store, reads: Reads) -> None:
    """Answer what must be before the next commit is told of."""
    if reads.tokens:
        engine.tokens_read(read_tokens(store, reads.tokens))
    if reads.delayed is not None:
        rows, is_end = read_delayed(store, *reads.delayed)
        engine.delayed_loaded(rows, is_end=is_end)
    for cold in reads.cold:
        ids, is_end = read_waiting(store, cold.function_type.typename, cold.start, cold.limit)
        engine.warmed(cold, _cold_addresses(store, cold, ids), None if is_end else ids[-1])


def _cold_addresses(store: Store, cold: ColdRange, ids: Sequence[str]) -> list[ColdAddress]:
    typename = cold.function_type.typename
    parked = read_parked(store, [(typename, each) for each in ids]) if cold.function_type.parked else [None] * len(ids)
    return [
        ColdAddress(identifier, *read_messages(store, (typename, identifier), 0, COLD_MESSAGES))
        for identifier, reason in zip(ids, parked, strict=True)
        if reason is None and identifier not in cold.function_type.mailboxes
    ]


def read_stored(store: Store, mailboxes: Sequence[Mailbox]) -> list[tuple[Mailbox, Stored]]:
    """What the store holds for the address of each mailbox."""
    addresses = [mailbox.address for mailbox in mailboxes]
    asked = [mailbox.address for mailbox in mailboxes if mailbox.function_type.parked]
    parked = dict(zip(asked, read_parked(store, asked), strict=True))
    values = read_values(store, addresses)
    return [
        (mailbox, Stored(found, parked.get(mailbox.address))) for mailbox, found in zip(mailboxes, values, strict=True)
    ]


def find_parked(engine: Engine, store: Store, address: Address) -> Parked | None:
    """Why an address is parked; None if it is not. What memory knows is newer than the store."""
    function_type = engine.mailboxes.types.get(address[0])
    if function_type is None or not function_type.parked:
        return None
    mailbox = function_type.mailboxes.get(address[1])
    # While its state is being read, or when it is not in memory at all, its last change is durable.
    return read_parked(store, [address])[0] if mailbox is None or mailbox.loading else mailbox.parked


def read_page(store: Store, page: Page) -> tuple[list[Message], bool]:
    """The messages of a page, and whether the store has no others."""
    return read_messages(store, page.mailbox.address, page.after, page.limit)
