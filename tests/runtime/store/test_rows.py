"""Rows come back as what was written; a row of an unknown format is refused."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.epoch import DeadLetter, DelayedMessage, JournalEntry, LetterKind, Parked, StateValues
from statefun_runtime.errors import FormatError
from statefun_runtime.interfaces import Address, ExpireMode, FailureKind, OutboxBatch, StateSpec
from statefun_runtime.store import rows

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
addresses = st.tuples(names, texts)
numbers = st.integers(0, 2**63 - 1)
specs = st.builds(StateSpec, names, names, st.sampled_from(ExpireMode), numbers)


@given(st.dictionaries(names, st.tuples(numbers, st.binary())))
def test_state(values: StateValues) -> None:
    assert rows.read_state(rows.state_row(values)) == values


@given(numbers, addresses, st.none() | addresses, st.binary())
def test_messages(sequence: int, target: Address, caller: Address | None, payload: bytes) -> None:
    message = (sequence, target, caller, payload)
    assert rows.read_message(sequence, target, rows.message_row(message)) == message


@given(st.builds(DelayedMessage, numbers, numbers, addresses, addresses, st.binary(), texts))
def test_delayed_messages(message: DelayedMessage) -> None:
    assert rows.read_delayed_row(message.key, rows.delayed_row(message)) == message


@given(texts, numbers, st.lists(st.binary()))
def test_outbox_rows(lineage: str, epoch: int, records: list[bytes]) -> None:
    assert rows.read_outbox(epoch, rows.outbox_row(lineage, records)) == OutboxBatch(lineage, epoch, records)


@given(st.lists(specs))
def test_state_specs(declared: list[StateSpec]) -> None:
    assert rows.read_specs(rows.specs_row(declared)) == {spec.name: spec for spec in declared}


@given(st.builds(Parked, numbers, numbers, texts, st.sampled_from(FailureKind), numbers))
def test_parked_addresses(parked: Parked) -> None:
    assert rows.read_parked(rows.parked_row(parked)) == parked


messages = st.tuples(numbers, addresses, st.none() | addresses, st.binary())
states = st.dictionaries(names, st.tuples(numbers, st.binary()))


@given(st.builds(DeadLetter, numbers, st.sampled_from(LetterKind), texts, messages, texts, numbers, states))
def test_dead_letters(letter: DeadLetter) -> None:
    assert rows.read_dead_letter(letter.number, rows.dead_letter_row(letter)) == letter


@given(st.builds(JournalEntry, numbers, numbers, texts, texts, texts, texts))
def test_journal_entries(entry: JournalEntry) -> None:
    assert rows.read_journal(entry.number, rows.journal_row(entry)) == entry


@given(numbers, st.binary())
def test_numbers_and_bytes(number: int, value: bytes) -> None:
    assert rows.read_number_row(rows.number_row(number)) == number
    assert rows.read_bytes(rows.bytes_row(value)) == value


LONG = "n" * 70_000


def test_names_longer_than_64_kib_are_kept() -> None:
    address = (LONG, LONG)
    assert rows.read_state(rows.state_row({LONG: (1, b"v")})) == {LONG: (1, b"v")}
    message = DelayedMessage(1, 2, address, address, b"v", LONG)
    assert rows.read_delayed_row((1, 2), rows.delayed_row(message)) == message


READERS: dict[str, Callable[[bytes], object]] = {
    "state row": rows.read_state,
    "message": lambda row: rows.read_message(1, ("test/f", "a"), row),
    "delayed message": lambda row: rows.read_delayed_row((1, 2), row),
    "outbox row": lambda row: rows.read_outbox(1, row),
    "state spec": rows.read_specs,
    "parked address": rows.read_parked,
    "dead letter": lambda row: rows.read_dead_letter(1, row),
    "journal entry": lambda row: rows.read_journal(1, row),
    "number": rows.read_number_row,
    "value": rows.read_bytes,
}


@pytest.mark.parametrize("what", READERS)
def test_an_unknown_format_is_refused_and_the_error_says_what_to_do(what: str) -> None:
    known = rows.FAILURE_FORMAT if what in ("parked address", "dead letter") else rows.FORMAT
    told = f"a {what} has format 9, this version reads {known}; start the version that wrote"
    with pytest.raises(FormatError, match=told):
        READERS[what](b"\x09rest")
    with pytest.raises(FormatError, match=f"a {what} has format nothing"):
        READERS[what](b"")


def test_a_delayed_message_without_target_or_sender_is_refused() -> None:
    nobody = rows.message_row((1, ("test/f", "a"), None, b""))
    with pytest.raises(FormatError, match="has no target or no sender"):
        rows.read_delayed_row((1, 2), nobody + nobody[1:])
