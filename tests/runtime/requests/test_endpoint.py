"""The endpoint of requests, on bytes that nobody should have sent or stored."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.wire import encode_typed_value
from statefun_runtime.answer import REQUESTS
from statefun_runtime.interfaces import Address, Batch, Effects, Failure, FailureKind, Message, Reply
from statefun_runtime.metrics import RequestFigures
from statefun_runtime.requests.ask import ASK, Ask
from statefun_runtime.requests.endpoint import RequestEndpoint
from statefun_runtime.requests.record import RECORD, STATE, Record
from statefun_runtime.requests.waiting import Waiting

OWN: Address = (REQUESTS, "own")
JSON_TEXTS = st.sampled_from([b"{}", b"[]", b"1", b"null", b'{"sends": 1}', b'{"sends": [[1, 2, 3]]}', b'{"reply": 1}'])


def replies(state: bytes | None, *messages: Message) -> list[Reply]:
    """What the endpoint replies to one batch."""
    found: list[Reply] = []
    endpoint = RequestEndpoint(Waiting(RequestFigures()), lambda: 1)
    endpoint.invoke(Batch(OWN, {STATE: state}, list(messages)), lambda _, reply: found.append(reply))
    return found


@pytest.mark.parametrize("state", [b"\xff", encode_typed_value(RECORD, b"{"), encode_typed_value(RECORD, b"[]")])
def test_a_record_that_cannot_be_read_fails_for_good(state: bytes) -> None:
    (reply,) = replies(state, (1, OWN, ("test/f", "a"), b""))
    assert isinstance(reply, Failure)
    assert reply.kind is FailureKind.PERMANENT


@pytest.mark.parametrize("payload", [b"\xff", encode_typed_value("test/x", b""), encode_typed_value(ASK, b"[]")])
def test_an_order_that_cannot_be_read_fails_for_good_and_nothing_of_its_batch_happens(payload: bytes) -> None:
    (reply,) = replies(None, (1, OWN, ("test/f", "a"), b""), (2, OWN, None, payload))
    assert isinstance(reply, Failure)
    assert reply.reason.startswith("request own: ")


def test_a_batch_that_changes_nothing_writes_nothing() -> None:
    stored = Record("call a/b c", "f", awaits_reply=True, reply=b"reply").encode()
    (reply,) = replies(stored, (1, OWN, ("test/f", "a"), b"another"))
    assert isinstance(reply, Effects)
    assert not reply.mutations


@given(st.one_of(st.binary(), JSON_TEXTS))
def test_what_is_no_record_and_no_ask_is_a_value_error(value: bytes) -> None:
    with contextlib.suppress(ValueError):
        Ask.decode(TypedValue(typename=ASK, has_value=True, value=value))
    with contextlib.suppress(ValueError):
        Record.decode(encode_typed_value(RECORD, value))
