from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from statefun.protocol.request_reply_pb2 import FromFunction
from statefun_runtime.endpoint.interpret import MAX_RETRY_AFTER, interpret, parse_retry_after
from statefun_runtime.endpoint.response import Response
from statefun_runtime.interfaces import Effects, Failure, FailureKind, MissingStates

NOON = int(datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        (b"0", 0),
        (b" 7 ", 7_000),
        (b"999999999999999999999999", MAX_RETRY_AFTER),
        (b"86400", MAX_RETRY_AFTER),
        (b"Wed, 01 May 2024 12:00:05 GMT", 5_000),
        (b"Wed, 01 May 2024 11:00:00 GMT", 0),
        (b"Wed, 01 May 2034 12:00:00 GMT", MAX_RETRY_AFTER),
        (b"Wed, 01 May 2024 12:00:05", 5_000),
        (b"-1", None),
        (b"1.5", None),
        (b"soon", None),
        (b"", None),
        (b"\xb2", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: bytes | None, wait: int | None) -> None:
    assert parse_retry_after(value, NOON) == wait


@given(st.binary(max_size=40) | st.from_regex(rb"\w{3}, \d{1,9} \w{3} \d{1,9} \d+:\d+:\d+ [+-]\d{1,9}", fullmatch=True))
@example(b"Mon, 01 Jan 0001 00:00:00 +2359")
@example(b"seP\t0\t0:3000000000\t0")
def test_any_retry_after_is_a_sane_wait_or_none(value: bytes) -> None:
    wait = parse_retry_after(value, NOON)
    assert wait is None or 0 <= wait <= MAX_RETRY_AFTER


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (b"500", FailureKind.TRANSIENT),
        (b"503 Service Unavailable", FailureKind.TRANSIENT),
        (b"422", FailureKind.PERMANENT),
    ],
)
def test_an_error_that_only_the_header_status_tells_of_is_one(told: bytes, kind: FailureKind) -> None:
    reply = interpret(Response(200, {b"status": told}, b"", keep_alive=True), 1000, NOON)
    assert reply == Failure(kind, f"answered {told[:3].decode()}")


@pytest.mark.parametrize("told", [b"200", b"204 No Content", b"304", b"999", b"failed", b"", b"\xb2\xb2\xb2", b"50"])
def test_no_other_header_status_makes_a_reply_without_effects_an_error(told: bytes) -> None:
    assert isinstance(interpret(Response(200, {b"status": told}, b"", keep_alive=True), 1000, NOON), Effects)


def test_a_reply_with_a_body_is_one_whatever_its_header_status_tells() -> None:
    body = FromFunction(invocation_result={}).SerializeToString()
    assert isinstance(interpret(Response(200, {b"status": b"500"}, body, keep_alive=True), 1000, NOON), Effects)


@given(
    status=st.integers(200, 999),
    headers=st.dictionaries(
        st.sampled_from([b"content-encoding", b"retry-after", b"location", b"status"]),
        st.sampled_from([b"gzip", b"deflate", b"br", b"\xff\x00"]) | st.binary(max_size=10),
    ),
    body=st.binary(max_size=100),
)
def test_any_response_is_a_reply(status: int, headers: dict[bytes, bytes], body: bytes) -> None:
    reply = interpret(Response(status, headers, body, keep_alive=True), 1000, NOON)
    assert isinstance(reply, Effects | MissingStates | Failure)
    if isinstance(reply, Failure):
        assert reply.reason.isprintable()
        assert len(reply.reason) < 700
