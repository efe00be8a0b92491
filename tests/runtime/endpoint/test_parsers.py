"""Bytes of HTTP from anybody: whatever comes, and however it is cut, there is a result and an end."""

from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.endpoint.request import RequestParser
from statefun_runtime.endpoint.response import Response, ResponseError, ResponseParser

MAX_BODY = 100

RESPONSE_LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.0 500 X\r\n",
        b"HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n",
        b"HTTP/1.1 204 X\r\n",
    ]
)
REQUEST_LINES = st.sampled_from(
    [
        b"POST / HTTP/1.1\r\n",
        b"GET /healthz HTTP/1.1\r\n",
        b"HEAD / HTTP/1.0\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n",
    ]
)
PARTS = st.sampled_from(
    [
        b"Content-Length: 5\r\n",
        b"Content-Length: 99999999\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"Expect: 100-continue\r\n",
        b"Content-Type: text/plain\r\n",
        b"\r\n",
        b"\r\nhello",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"0\r\nX: y\r\n\r\n",
        b"\x00\xff",
    ]
)


def streams(first_lines: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(first_lines | PARTS | st.binary(max_size=5), max_size=12).map(b"".join)


def first_response(stream: bytes, cuts: list[int]) -> tuple[int, bytes] | str | None:
    parser = ResponseParser(MAX_BODY)
    try:
        for piece in pieces(stream, cuts):
            response = parser.feed(piece)
            if response is not None:
                assert isinstance(response, Response)
                assert len(response.body) <= MAX_BODY or response.status >= 300
                return response.status, response.body
    except ResponseError as error:
        return error.kind.value
    return None


def all_requests(stream: bytes, cuts: list[int]) -> list[tuple[str, bytes, int]]:
    parser = RequestParser(1000, MAX_BODY)
    requests = [request for piece in pieces(stream, cuts) for request in parser.feed(piece)]
    assert all(request.reply is not None or 0 < len(request.body) <= MAX_BODY for request in requests)
    # The bodies of refused requests are not used, so how much of them was kept is of no account.
    return [(r.method, b"" if r.reply else r.body, r.reply.status if r.reply else 0) for r in requests]


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({cut % (len(stream) + 1) for cut in cuts} | {len(stream)})
    starts = [0, *ends]
    return [stream[start:end] for start, end in zip(starts, ends, strict=False) if start < end]


CUTS = st.lists(st.integers(0, 1000), max_size=10)


@given(streams(RESPONSE_LINES), CUTS)
def test_a_response_does_not_depend_on_how_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    whole = first_response(stream, list(range(len(stream))))
    assert first_response(stream, cuts) == whole


@given(streams(REQUEST_LINES), CUTS)
def test_requests_do_not_depend_on_how_they_are_cut(stream: bytes, cuts: list[int]) -> None:
    assert all_requests(stream, cuts) == all_requests(stream, [])


@given(st.binary(max_size=300), CUTS)
def test_any_bytes_are_taken(stream: bytes, cuts: list[int]) -> None:
    first_response(stream, cuts)
    all_requests(stream, cuts)


def test_a_request_that_never_ends_is_refused_once() -> None:
    parser = RequestParser(1000, MAX_BODY)
    assert parser.feed(b"POST /") == []
    requests = [request for _ in range(100) for request in parser.feed(b"x" * 100)]
    assert [request.reply.status for request in requests if request.reply] == [431]
    assert parser.ended
