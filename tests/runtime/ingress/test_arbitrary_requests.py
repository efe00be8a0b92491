"""Whatever an HTTP sender writes becomes a message or is refused with a reason; nothing else escapes."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.batch import read_batch
from statefun_runtime.ingress.request import InvalidRequestError, address_of, payload_of

paths = st.text(max_size=40) | st.from_regex(r"/[a-z%0-9/.]{0,10}/[A-Za-z%]{0,5}/[^?#]{0,10}", fullmatch=True)
kinds = st.text(max_size=40) | st.from_regex(
    r"(text/plain|application/(json|vnd\.[a-z./]{0,20}(\+json)?))(; ?charset=\"?[a-zA-Z0-9_.-]{0,12}\"?)?",
    fullmatch=True,
)

names = st.sampled_from(["a/b", "io.statefun.types/int", "io.statefun.types/string", "a", "", "a b/c"]) | st.text(
    max_size=5
)
values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=3)
lines = st.dictionaries(
    st.sampled_from(["target", "id", "typename", "value", "base64", "key"]), names | values, max_size=6
).map(lambda fields: json.dumps(fields).encode())


@given(paths)
@example("/a%2Fb/c/%ff")
def test_any_path_is_an_address_or_refused(path: str) -> None:
    try:
        typename, identifier = address_of(path)
    except InvalidRequestError:
        return
    assert all(typename.rpartition("/")[::2])
    assert identifier


@given(kinds, st.binary(max_size=60))
@example("text/plain; charset=zlib", b"x\x9c")
@example("text/plain; charset=undefined", b"x")
@example("text/plain; charset=\0", b"x")
def test_any_body_is_a_value_or_refused(content_type: str, body: bytes) -> None:
    try:
        payload = payload_of(content_type, body)
    except InvalidRequestError:
        return
    value = TypedValue.FromString(payload)
    assert value.has_value
    assert value.typename


@given(st.lists(lines | st.binary(max_size=40), max_size=3).map(b"\n".join))
@example(b'{"target": "a/b", "id": "1", "value": "\\ud800"}')
@example(b'{"target": "a/b", "id": "\\ud800", "value": ""}')
@example(b'{"target": "\\ud800/b", "id": "1", "value": ""}')
@example(b'{"target": "a/b", "id": "1", "typename": "\\ud800/b", "value": ""}')
@example(b"[" * 100_000)
def test_any_batch_is_messages_or_refused(body: bytes) -> None:
    try:
        messages = read_batch(body)
    except InvalidRequestError:
        return
    assert messages
    for (typename, identifier), payload in messages:
        assert typename.encode()
        assert identifier.encode()
        assert TypedValue.FromString(payload).has_value
