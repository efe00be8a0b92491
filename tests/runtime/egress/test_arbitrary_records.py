"""Whatever a function sends to the playground's egress is a record or is refused with a reason."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.egress.playground_record import TYPENAME, InvalidRecordError, decode_record

documents = st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(["topic", "payload", "x"]), children, max_size=3)
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())


def record(value: bytes, typename: str = TYPENAME) -> bytes:
    return TypedValue(typename=typename, has_value=True, value=value).SerializeToString()


@given(st.binary(max_size=60) | documents.map(record))
@example(record(b"[" * 100_000))
@example(record(b'{"topic": "\\ud800", "payload": 1}'))
@example(record(b'{"topic": "t", "payload": ' + b"9" * 5000 + b"}"))
def test_any_payload_is_a_record_or_refused(payload: bytes) -> None:
    try:
        topic, body = decode_record(payload)
    except InvalidRecordError:
        return
    assert topic
    assert isinstance(body, bytes)
