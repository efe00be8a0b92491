"""What both clients promise, against a server that answers byte for byte."""

import json
import socket
from base64 import b64encode

import pytest

from statefun import Address, Float64Type, Int32Type, Int64Type, StringType, make_json_type
from statefun.client import (
    CallFailedError,
    CallTimeoutError,
    ClientError,
    CursorGoneError,
    Outgoing,
    RefusedError,
    ReplyTypeError,
    UnavailableError,
)
from tests.sdk.client.conftest import MakeClient
from tests.sdk.client.server import DROP, Act, ScriptedServer, answer

ADD = make_json_type("shop/AddToCart")
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\nStatefun-Type: a/b\r\n\r\n"
)


def test_a_message_goes_to_its_address_with_its_type_and_a_key(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [answer(202), answer(202), answer(202)]
    client = connect(f"{server.url}/below/", headers={"Authorization": "Bearer x"})
    client.send("shop/cart/ada/1", {"item": "grüß"}, ADD)
    client.send(Address("a/b/c", "ü"), "hello", key="mine")
    client.send("shop/cart/ada", 1.5)
    first, second, third = server.received
    assert (first.method, first.path) == ("PUT", "/below/shop/cart/ada%2F1")
    assert first.headers["content-type"] == "application/vnd.shop/AddToCart"
    assert first.headers["authorization"] == "Bearer x"
    assert len(first.headers["idempotency-key"]) == 32
    assert json.loads(first.body) == {"item": "grüß"}
    assert (second.path, second.headers["idempotency-key"]) == ("/below/a%2Fb/c/%C3%BC", "mine")
    assert StringType.deserialize(second.body) == "hello"
    assert third.headers["content-type"] == "application/vnd.io.statefun.types/double"
    assert third.headers["idempotency-key"] != first.headers["idempotency-key"]


def test_a_connection_is_used_again(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [answer(202)] * 3
    client = connect(server.url)
    for text in "abc":
        client.send("a/b/c", text)
    assert [request.connection for request in server.received] == [1, 1, 1]


def test_a_connection_that_the_server_closes_is_not_used_again(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [answer(202, Connection="close"), answer(202)]
    client = connect(server.url)
    client.send("a/b/c", "1")
    client.send("a/b/c", "2")
    assert [request.connection for request in server.received] == [1, 2]


@pytest.mark.parametrize(
    "failure",
    [
        DROP,
        Act(b"HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\nabc", closes=True),
        Act(b"HTTP/1.1 20", closes=True),
        Act(b"hello\r\n\r\n", closes=True),
        answer(429, Retry_After="0"),
        answer(429),
        answer(503, Retry_After="0"),
    ],
)
def test_what_broke_or_shall_come_later_is_sent_again_with_the_same_key(
    connect: MakeClient, server: ScriptedServer, failure: Act
) -> None:
    server.acts += [failure, answer(202)]
    connect(server.url).send("a/b/c", "x")
    first, second = server.received
    assert first._replace(connection=0) == second._replace(connection=0)
    assert first.headers["idempotency-key"]


def test_a_server_that_is_not_there_is_tried_for_a_while(connect: MakeClient) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        client = connect(f"http://127.0.0.1:{unheard.getsockname()[1]}", retry_for=0.1)
        with pytest.raises(UnavailableError, match=r"tried for 0.1 s.*cannot be reached") as raised:
            client.send("a/b/c", "x", key="mine")
    assert (raised.value.maybe_taken, raised.value.key) == (False, "mine")


def test_an_attempt_without_an_answer_may_have_got_through(connect: MakeClient, server: ScriptedServer) -> None:
    with pytest.raises(UnavailableError, match=r"no answer from .* within 0.05 s; an attempt may have") as raised:
        connect(server.url, timeout=0.05, retry_for=0).send("a/b/c", "x")
    assert raised.value.maybe_taken
    assert raised.value.key == server.received[0].headers["idempotency-key"]


def test_a_full_runtime_has_taken_nothing(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [answer(429, b'{"error": "too many messages wait"}', Retry_After="60")]
    with pytest.raises(UnavailableError, match=r"status 429: too many messages wait$") as raised:
        connect(server.url, retry_for=1).send("a/b/c", "x")
    assert not raised.value.maybe_taken


@pytest.mark.parametrize("status", [400, 403, 404, 413, 422, 500, 503])
def test_a_message_that_is_refused_is_not_sent_again(connect: MakeClient, server: ScriptedServer, status: int) -> None:
    server.acts += [answer(status, b'{"error": "the reason"}')]
    with pytest.raises(RefusedError, match=f"status {status}: the reason") as raised:
        connect(server.url).send("a/b/c", "x")
    assert raised.value.status == status


def test_many_messages_are_one_batch(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [DROP, answer(202)]
    messages = [Outgoing("a/b/1", 7, Int32Type), Outgoing(Address("c/d/e", "ü"), "text"), Outgoing("a/b/1", {}, ADD)]
    connect(server.url).send_many(iter(messages))
    again, request = server.received
    assert again.headers["idempotency-key"] == request.headers["idempotency-key"]
    assert (request.method, request.path) == ("POST", "/batch")
    lines = [json.loads(line) for line in request.body.splitlines()]
    assert [(line["target"], line["id"], line["typename"]) for line in lines] == [
        ("a/b", "1", "io.statefun.types/int"),
        ("c/d/e", "ü", "io.statefun.types/string"),
        ("a/b", "1", "shop/AddToCart"),
    ]
    assert lines[0]["base64"] == b64encode(Int32Type.serialize(7)).decode()


def test_no_messages_are_no_request_and_too_many_are_an_error(connect: MakeClient, server: ScriptedServer) -> None:
    client = connect(server.url)
    client.send_many([])
    with pytest.raises(ValueError, match="send at most 10000 at once"):
        client.send_many([Outgoing("a/b/1", "x")] * 10_001)
    assert server.received == []


@pytest.mark.parametrize(
    ("target", "value", "reason"),
    [("a/b", "x", "is not an address"), ("a/b/c", 7, "Int32Type or an Int64Type"), ("a/b/c", None, "missing")],
)
def test_what_is_no_message_is_an_error_before_anything_is_sent(
    connect: MakeClient, server: ScriptedServer, target: str, value: object, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        connect(server.url).send(target, value)
    assert server.received == []


def test_a_call_gives_the_reply(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [
        answer(200, b"7", Statefun_Type=Int64Type.typename, Content_Type="application/json; charset=utf-8"),
        answer(200, b'{"n": 1}', Statefun_Type="shop/AddToCart", Content_Type="application/json"),
        answer(200, b"\x00", Statefun_Type="shop/Raw", Content_Type="application/octet-stream"),
        answer(
            200,
            Float64Type.serialize(float("inf")),
            Statefun_Type=Float64Type.typename,
            Content_Type="application/octet-stream",
        ),
    ]
    client = connect(server.url)
    assert client.call("shop/cart/a", "x", timeout=7, key="mine").read_as(Int64Type) == 7
    assert client.call("shop/cart/a", "x").read_as(ADD) == {"n": 1}
    raw = client.call("shop/cart/a", "x")
    assert (raw.value_typename(), raw.raw_value()) == ("shop/Raw", b"\x00")
    with pytest.raises(ReplyTypeError, match="the reply is of type 'shop/Raw', not shop/AddToCart"):
        raw.read_as(ADD)
    assert client.call("shop/cart/a", "x").read_as(Float64Type) == float("inf")
    first = server.received[0]
    path, _, seconds = first.path.partition("?timeout=")
    assert (first.method, path, first.headers["idempotency-key"]) == ("POST", "/shop/cart/a/call", "mine")
    assert 6 < float(seconds) <= 7


@pytest.mark.parametrize("chunks", [b"1\r\n7\r\n0\r\n\r\n", b"1;x=y\r\n7\r\n0\r\nTrailer: 1\r\n\r\n"])
def test_a_reply_may_come_in_chunks_and_after_other_heads(
    connect: MakeClient, server: ScriptedServer, chunks: bytes
) -> None:
    server.acts += [Act(b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED + chunks), answer(202)]
    client = connect(server.url)
    assert client.call("a/b/c", "x").raw_value() == b"7"
    client.send("a/b/c", "x")
    assert server.received[1].connection == 1


@pytest.mark.parametrize("rest", [b"", b"5\r\nab", b"1\r\n7\r\n", b"x\r\n"])
def test_an_incomplete_reply_does_not_count(connect: MakeClient, server: ScriptedServer, rest: bytes) -> None:
    server.acts += [Act(CHUNKED + rest, closes=True), Act(CHUNKED + b"1\r\n8\r\n0\r\n\r\n")]
    assert connect(server.url).call("a/b/c", "x").raw_value() == b"8"
    assert server.received[0].headers["idempotency-key"] == server.received[1].headers["idempotency-key"]


def test_a_reply_without_a_length_ends_with_its_connection(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [Act(b"HTTP/1.0 200 OK\r\nStatefun-Type: a/b\r\n\r\nseven", closes=True)]
    assert connect(server.url).call("a/b/c", "x").raw_value() == b"seven"


def test_a_call_without_a_reply_in_time_can_be_asked_for_again(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [answer(504, b'{"error": "no reply within 1 s"}')]
    with pytest.raises(CallTimeoutError, match="no reply within 1 s") as raised:
        connect(server.url).call("a/b/c", "x", timeout=1)
    assert raised.value.key == server.received[0].headers["idempotency-key"]


@pytest.mark.parametrize("status", [500, 503])
def test_a_call_that_failed_says_why(connect: MakeClient, server: ScriptedServer, status: int) -> None:
    server.acts += [answer(status, b'{"error": "its target is parked: no"}')]
    with pytest.raises(CallFailedError, match="its target is parked: no") as raised:
        connect(server.url).call("a/b/c", "x", key="mine")
    assert (raised.value.status, raised.value.key) == (status, "mine")


def test_a_call_with_a_key_of_another_message_is_refused(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [answer(422, b'{"error": "the key"}')]
    with pytest.raises(RefusedError, match="the key"):
        connect(server.url).call("a/b/c", "x", key="mine")


def page(*records: dict[str, object], cursor: str) -> Act:
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    return answer(200, lines, Statefun_Cursor=cursor)


def test_a_subscription_goes_on_behind_each_cursor(connect: MakeClient, server: ScriptedServer) -> None:
    string = StringType.typename
    server.acts += [
        page({"cursor": "l-1", "typename": string, "value": "a"}, {"cursor": "l-2", "typename": "a/b"}, cursor="l-2"),
        DROP,
        page(cursor="l-2"),
        page({"cursor": "l-3", "typename": "a/b", "base64": "AP8="}, cursor="l-3"),
        page({"cursor": "l-4", "typename": "shop/AddToCart", "value": {"n": 1}}, cursor="l-4"),
    ]
    records = connect(server.url).subscribe("shop/orders")
    first, second, third, fourth = (next(records) for _ in range(4))
    assert (first.cursor, first.json, first.read_as(StringType)) == ("l-1", "a", "a")
    assert (second.cursor, second.json, second.raw_value()) == ("l-2", None, None)
    assert (third.cursor, third.raw_value()) == ("l-3", b"\x00\xff")
    assert fourth.read_as(ADD) == fourth.json == {"n": 1}
    with pytest.raises(ReplyTypeError, match="the record l-4 is of type 'shop/AddToCart'"):
        fourth.read_as(StringType)
    assert [request.path.partition("?")[0] for request in server.received] == ["/egress/shop/orders"] * 5
    assert [request.path.partition("after=")[2] for request in server.received] == ["", "l-2", "l-2", "l-2", "l-3"]


def test_a_cursor_that_is_gone_says_where_to_go_on(connect: MakeClient, server: ScriptedServer) -> None:
    server.acts += [answer(410, b'{"error": "not kept any more", "oldest": "l-7"}')]
    with pytest.raises(CursorGoneError, match="not kept any more") as raised:
        next(connect(server.url).subscribe("shop/orders", after="l-1"))
    assert raised.value.oldest == "l-7"


@pytest.mark.parametrize("body", [b"<html>", b"{}\n", b'{"cursor": "l-1", "typename": "a/b", "base64": "%"}\n', b"7\n"])
def test_an_answer_that_is_no_subscription_is_an_error(
    connect: MakeClient, server: ScriptedServer, body: bytes
) -> None:
    server.acts += [answer(200, body, Statefun_Cursor="l-1")]
    with pytest.raises(ClientError, match=r"is no subscription's.*check the URL"):
        next(connect(server.url).subscribe("shop/orders"))


@pytest.mark.parametrize("url", ["127.0.0.1:8090", "ftp://x", "http://", "http://x:0", "http://u:p@x", "http://x?a=b"])
def test_a_url_that_is_none_is_an_error(connect: MakeClient, url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        connect(url)


@pytest.mark.parametrize("typename", ["ä/b", "a/b;c", "a/b+json", "a/b\r\nX: y"])
def test_a_typename_that_no_header_can_carry_is_an_error(
    connect: MakeClient, server: ScriptedServer, typename: str
) -> None:
    with pytest.raises(ValueError, match="use send_many"):
        connect(server.url).send("a/b/c", {}, make_json_type(typename))
    assert server.received == []
