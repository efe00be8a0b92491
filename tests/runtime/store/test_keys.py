"""Keys are ordered as what they name, and say what it was."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.errors import FormatError
from statefun_runtime.interfaces import Address
from statefun_runtime.store import keys

# Everything that UTF-8 can carry, with many of the characters that separate or escape.
texts = st.text(
    st.one_of(st.sampled_from("\0\x01\xff\u07ff\uffff\U0010ffff/a"), st.characters(exclude_categories=["Cs"]))
)
addresses = st.tuples(texts, texts)
numbers = st.integers(0, 2**63 - 1)


def order(left: Any, right: Any) -> int:
    """Less than zero, zero or more, as left comes before, is, or comes after right."""
    return int(left > right) - int(left < right)


@given(texts, texts)
def test_text_keys_are_ordered_as_texts(left: str, right: str) -> None:
    assert order(keys.text_key(left), keys.text_key(right)) == order(left, right)


@given(addresses, addresses)
def test_address_keys_are_ordered_as_addresses(left: Address, right: Address) -> None:
    assert order(keys.address_key(left), keys.address_key(right)) == order(left, right)
    assert order(keys.pair_key(*left), keys.pair_key(*right)) == order(left, right)


@given(addresses, numbers, addresses, numbers)
def test_message_keys_are_ordered_by_address_then_sequence(
    address: Address, sequence: int, other: Address, other_sequence: int
) -> None:
    left = keys.message_key((sequence, address, None, b""))
    right = keys.message_key((other_sequence, other, None, b""))
    assert order(left, right) == order((address, sequence), (other, other_sequence))


@given(texts, numbers, texts, numbers)
def test_numbered_keys_are_ordered_by_text_then_number(text: str, number: int, other: str, other_number: int) -> None:
    left, right = keys.numbered_key(text, number), keys.numbered_key(other, other_number)
    assert order(left, right) == order((text, number), (other, other_number))


@given(st.tuples(numbers, numbers), st.tuples(numbers, numbers))
def test_delayed_keys_are_ordered_by_due_time_then_sequence(left: tuple[int, int], right: tuple[int, int]) -> None:
    assert order(keys.delayed_key(left), keys.delayed_key(right)) == order(left, right)


@given(texts)
def test_no_text_key_is_the_beginning_of_another(text: str) -> None:
    key = keys.text_key(text)
    for other in (text + "\0", text + "\0\0", text + "a", text + "\U0010ffff", text[:-1]):
        assert other == text or not keys.text_key(other).startswith(key)


@given(addresses, numbers)
def test_the_parts_of_a_message_key_can_be_read_back(address: Address, sequence: int) -> None:
    key = keys.message_key((sequence, address, None, b""))
    found, end = keys.read_address(key)
    assert (found, keys.read_number(key, end)) == (address, sequence)
    assert keys.read_text(key) == (address[0], len(keys.text_key(address[0])))


@given(texts, numbers)
def test_the_parts_of_a_numbered_key_can_be_read_back(text: str, number: int) -> None:
    key = keys.numbered_key(text, number)
    found, end = keys.read_text(key)
    assert (found, keys.read_number(key, end)) == (text, number)
    assert keys.read_number(keys.number_key(number), 0) == number


@given(numbers, numbers)
def test_a_delayed_key_can_be_read_back(due: int, sequence: int) -> None:
    assert keys.read_delayed(keys.delayed_key((due, sequence))) == (due, sequence)


def test_a_key_without_an_end_of_text_is_refused() -> None:
    for key in (b"", b"abc", b"abc\1\1"):
        with pytest.raises(FormatError, match="has no end of text"):
            keys.read_text(key)


@given(st.binary(max_size=6), st.binary(max_size=8))
def test_after_prefix_is_the_first_key_after_all_that_begin_with_it(prefix: bytes, key: bytes) -> None:
    end = keys.after_prefix(prefix)
    inside = prefix <= key and (end is None or key < end)
    assert inside == key.startswith(prefix)


@given(st.binary(max_size=6), st.binary(max_size=8))
def test_every_key_that_begins_with_a_prefix_is_before_its_end(prefix: bytes, rest: bytes) -> None:
    end = keys.after_prefix(prefix)
    assert end is None or prefix + rest < end


def test_after_prefix_of_the_highest_bytes_is_the_end_of_the_table() -> None:
    assert keys.after_prefix(b"") is None
    assert keys.after_prefix(b"\xff\xff") is None
    assert keys.after_prefix(b"a\xff") == b"b"
