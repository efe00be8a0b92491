import pytest
from hypothesis import given
from hypothesis import strategies as st

from statefun_runtime.endpoint.repeated_head import RepeatedHead
from statefun_runtime.endpoint.request import RequestParser
from statefun_runtime.endpoint.response import ResponseParser

START = b"POST / HTTP/1.1\r\nhost: f\r\ncontent-length: "


def learned() -> RepeatedHead:
    head = RepeatedHead()
    head.learn(START + b"2\r\n\r\nab", b"ab")
    return head


def test_a_repeated_head_needs_no_parser() -> None:
    assert learned().body_of(START + b"11\r\n\r\nhello world") == b"hello world"


@pytest.mark.parametrize(
    "message",
    [
        b"PUT / HTTP/1.1\r\nhost: f\r\ncontent-length: 2\r\n\r\nab",
        START + b"2\r\n\r\na",
        START + b"2\r\n\r\nabc",
        START + b"0\r\n\r\n",
        START + b"\r\n\r\n",
        START + b"2",
        START + b"+2\r\n\r\nab",
        START + b" 2\r\n\r\nab",
        START + "\N{SUPERSCRIPT TWO}".encode("latin-1") + b"\r\n\r\nab",
        START + b"2\r\nexpect: 100-continue\r\n\r\nab",
        START + b"0000000002\r\n\r\nab",
    ],
)
def test_what_differs_is_left_to_the_parser(message: bytes) -> None:
    assert learned().body_of(message) is None


def test_a_head_that_does_not_end_with_its_length_takes_the_place_of_the_last_one() -> None:
    head = learned()
    head.learn(b"POST / HTTP/1.1\r\ncontent-length: 2\r\nhost: f\r\n\r\nab", b"ab")
    assert head.body_of(START + b"2\r\n\r\nab") is None


def test_a_part_of_a_head_is_not_taken_for_a_request() -> None:
    parser = RequestParser(1000, 1000)
    whole = START + b"2\r\n\r\nab"
    assert not parser.feed(whole[:20])
    assert [request.body for request in parser.feed(whole[20:])] == [b"ab"]
    (refused,) = parser.feed(whole[20:])
    assert refused.reply is not None
    assert refused.reply.status == 400


def test_a_request_beyond_the_limit_is_refused_with_a_repeated_head_too() -> None:
    parser = RequestParser(1000, 4)
    assert [request.reply for request in parser.feed(START + b"4\r\n\r\nabcd")] == [None]
    assert [request.reply for request in parser.feed(START + b"4\r\n\r\nefgh")] == [None]
    (refused,) = parser.feed(START + b"5\r\n\r\nabcde")
    assert refused.reply is not None
    assert refused.reply.status == 413


def test_a_response_has_the_headers_of_its_own_head() -> None:
    parser = ResponseParser(1000)
    plain = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab"
    coded = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-encoding: gzip\r\n\r\nab"
    encodings: list[bytes | None] = []
    for data in (plain, plain, coded, coded, plain, plain):
        parser.expect()
        response = parser.feed(data)
        assert response is not None
        assert response.keep_alive
        encodings.append(response.headers.get(b"content-encoding"))
    assert encodings == [None, None, b"gzip", b"gzip", None, None]


def test_only_a_status_that_was_parsed_as_200_is_repeated() -> None:
    parser = ResponseParser(1000)
    statuses: list[int] = []
    for _ in range(2):
        parser.expect()
        response = parser.feed(b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\n\r\nab")
        assert response is not None
        statuses.append(response.status)
    assert statuses == [500, 500]


@given(bodies=st.lists(st.binary(min_size=1, max_size=40), min_size=1), cuts=st.lists(st.integers(1, 60)))
def test_requests_are_the_same_however_their_bytes_are_cut(bodies: list[bytes], cuts: list[int]) -> None:
    data = b"".join(START + b"%d\r\n\r\n%b" % (len(body), body) for body in bodies)
    parser = RequestParser(1000, 1000)
    got: list[bytes] = []
    for cut in cuts:
        got += [request.body for request in parser.feed(data[:cut])] if data[:cut] else []
        data = data[cut:]
    got += [request.body for request in parser.feed(data)] if data else []
    assert got == bodies
