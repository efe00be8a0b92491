"""Taking messages from a mailbox for one call."""

from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.engine.function_type import FunctionType
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.interfaces import Message

from .steps import A

payloads = st.lists(st.binary(max_size=8), min_size=1, max_size=30)


def mailbox_with(payloads: list[bytes]) -> tuple[Mailbox, list[Message]]:
    mailbox = Mailbox(A, FunctionType("test/f", limit=1, max_batch=1))
    messages: list[Message] = [(sequence, A, None, payload) for sequence, payload in enumerate(payloads)]
    mailbox.queue = list(messages)
    return mailbox, messages


@given(payloads, st.integers(1, 10), st.integers(0, 30))
def test_a_mailbox_gives_its_messages_in_order_within_both_limits(
    payloads: list[bytes], max_messages: int, max_bytes: int
) -> None:
    mailbox, messages = mailbox_with(payloads)
    taken: list[Message] = []
    while mailbox.queue:
        batch = mailbox.take(max_messages, max_bytes)
        assert 1 <= len(batch) <= max_messages
        assert len(batch) == 1 or sum(len(message[3]) for message in batch) <= max_bytes
        taken += batch
    assert taken == messages


@given(payloads, st.integers(1, 10), st.integers(0, 30))
def test_a_mailbox_gives_as_much_as_the_limits_allow(payloads: list[bytes], max_messages: int, max_bytes: int) -> None:
    mailbox, _ = mailbox_with(payloads)
    batch = mailbox.take(max_messages, max_bytes)
    if mailbox.queue and len(batch) < max_messages:
        assert sum(len(message[3]) for message in [*batch, mailbox.queue[0]]) > max_bytes


@given(payloads, payloads, st.integers(1, 10))
def test_a_batch_taken_is_not_changed_by_messages_that_arrive_later(
    first: list[bytes], second: list[bytes], max_messages: int
) -> None:
    mailbox, messages = mailbox_with(first)
    batch = mailbox.take(max_messages, 10**6)
    for sequence, payload in enumerate(second, start=len(first)):
        mailbox.queue.append((sequence, A, None, payload))
    assert batch == messages[:max_messages]
    assert [message[0] for message in [*batch, *mailbox.queue]] == list(range(len(first) + len(second)))
