"""Whatever an HTTP sender writes becomes a message or is refused with a reason; nothing else escapes."""

from hypothesis import example, given
from hypothesis import strategies as st

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.request import InvalidRequestError, address_of, payload_of

paths = st.text(max_size=40) | st.from_regex(r"/[a-z%0-9/.]{0,10}/[A-Za-z%]{0,5}/[^?#]{0,10}", fullmatch=True)
kinds = st.text(max_size=40) | st.from_regex(
    r"(text/plain|application/(json|vnd\.[a-z./]{0,20}))(; ?charset=\"?[a-zA-Z0-9_.-]{0,12}\"?)?", fullmatch=True
)


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
