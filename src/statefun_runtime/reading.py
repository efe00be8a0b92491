"""Reads from a store what the engine asks for, and tells it."""

from collections.abc import Sequence

from statefun_runtime.engine.engine import Engine
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.engine.reads import ColdAddress, ColdRange, Reads, Stored
from statefun_runtime.interfaces import Store
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
    _answer_ranges(engine, store, reads)
    _answer_states(engine, store, reads.states)
    for page in reads.pages:
        messages, is_last = read_messages(store, page.mailbox.address, page.after, page.limit)
        engine.dispatcher.paged_in(page, messages, is_last=is_last)
    return True


def _answer_ranges(engine: Engine, store: Store, reads: Reads) -> None:
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


def _answer_states(engine: Engine, store: Store, mailboxes: Sequence[Mailbox]) -> None:
    addresses = [mailbox.address for mailbox in mailboxes]
    parked = dict.fromkeys(addresses)
    asked = [mailbox.address for mailbox in mailboxes if mailbox.function_type.parked]
    reasons = {**parked, **dict(zip(asked, read_parked(store, asked), strict=True))}
    for mailbox, values in zip(mailboxes, read_values(store, addresses), strict=True):
        engine.dispatcher.loaded(mailbox, Stored(values, reasons[mailbox.address]))
