import json
from base64 import b64encode
from itertools import chain

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.protocol.types_pb2 import LongWrapper, StringWrapper
from statefun_runtime.ingress.batch import MAX_MESSAGES, read_batch
from statefun_runtime.ingress.request import InvalidRequestError


def line(**fields: object) -> bytes:
    return json.dumps({"target": "shop/cart", "id": "ada", "value": "x", **fields}).encode()


def typed(*lines: bytes) -> list[tuple[str, bytes]]:
    values = [TypedValue.FromString(message.payload) for message in read_batch(b"\n".join(lines))]
    return [(value.typename, value.value) for value in values]


def test_each_line_is_a_message_in_order() -> None:
    messages = read_batch(line(id="ada/1") + b"\n" + line(target="a/b/c", id="ü") + b"\n")
    assert [message.target for message in messages] == [("shop/cart", "ada/1"), ("a/b/c", "ü")]


def test_a_text_needs_no_typename() -> None:
    assert typed(line(value="grüß")) == [("io.statefun.types/string", StringWrapper(value="grüß").SerializeToString())]


def test_a_primitive_is_given_as_json() -> None:
    long = LongWrapper(value=1 << 40).SerializeToString()
    assert typed(line(typename="io.statefun.types/long", value=1 << 40)) == [("io.statefun.types/long", long)]


def test_any_other_value_is_compact_json() -> None:
    assert typed(line(typename="shop/AddToCart", value={"item": "grüß", "n": [1, None]})) == [
        ("shop/AddToCart", '{"item":"grüß","n":[1,null]}'.encode())
    ]


def test_bytes_are_given_in_base64() -> None:
    raw = json.dumps(
        {"target": "a/b", "id": "1", "typename": "a/Raw", "base64": b64encode(b"\x00\xff").decode()}
    ).encode()
    assert typed(raw) == [("a/Raw", b"\x00\xff")]


def test_empty_lines_are_passed_over_and_counted() -> None:
    assert len(typed(b"", line(), b"  ", line(), b"")) == 2
    with pytest.raises(InvalidRequestError, match=r"^line 4: "):
        typed(b"", line(), b"", b"{}")


def test_a_line_separator_within_a_text_ends_no_line() -> None:
    separators = "a\u2028b\x85c"
    raw = json.dumps({"target": "a/b", "id": "1", "value": separators}, ensure_ascii=False).encode()
    assert typed(raw) == [("io.statefun.types/string", StringWrapper(value=separators).SerializeToString())]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"socks", "is not JSON"),
        (b"\xff", "utf-8"),
        (b"[1]", "is not a JSON object"),
        (line(target="cart"), "'cart' is not a typename"),
        (line(target=None), 'needs "target", a text'),
        (line(id=""), 'the "id" is empty'),
        (line(id=7), 'needs "id", a text'),
        (line(base64=""), 'needs either "value" or "base64"'),
        (line(ttl=5), "has the unknown field 'ttl'; known are target, id, typename, value, base64"),
        (line(value=7), 'the value is no io.statefun.types/string.*say its "typename"'),
        (line(value=1 << 40, typename="io.statefun.types/int"), "the value is no io.statefun.types/int"),
        (b'{"target": "a/b", "id": "1", "typename": "a/b", "base64": "%"}', "is not base64"),
        (b'{"target": "a/b", "id": "1", "base64": ""}', 'needs "typename"'),
        (b'{"target": "a/b", "id": "1", "typename": "io.statefun.types/int", "base64": "Kg=="}', "no encoded"),
    ],
)
def test_a_line_that_is_no_message_is_named_with_the_reason(bad: bytes, reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^line 2: .*{reason}"):
        read_batch(line() + b"\n" + bad)


@pytest.mark.parametrize("body", [b"", b"\n\n"])
def test_a_batch_without_a_message_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequestError, match="the batch has no message"):
        read_batch(body)


def test_a_batch_has_at_most_so_many_messages() -> None:
    full = [b'{"target":"a/b","id":"1","value":""}'] * MAX_MESSAGES
    assert len(read_batch(b"\n".join(full))) == MAX_MESSAGES
    with pytest.raises(InvalidRequestError, match=f"line {MAX_MESSAGES + 1}: a batch has at most"):
        read_batch(b"\n".join(chain(full, full[:1])))
