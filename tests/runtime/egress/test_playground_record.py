import json

import pytest

from statefun_runtime.egress.playground_record import TYPENAME, InvalidRecordError, decode_record

from .records import typed


@pytest.mark.parametrize(
    ("payload", "body"),
    [("grüß", "grüß"), ("", ""), ({"a": [1, "ü"]}, '{"a":[1,"ü"]}'), (None, "null"), (7, "7")],
)
def test_a_text_is_given_as_it_is_and_any_other_json_compactly(payload: object, body: str) -> None:
    record = json.dumps({"topic": "greetings", "payload": payload}).encode()
    assert decode_record(typed(TYPENAME, record)) == ("greetings", body.encode())


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"\xff", "is no typed value"),
        (typed("test/Other", b"{}"), "is of type 'test/Other' instead of io.statefun.playground/EgressRecord"),
        (typed(TYPENAME, b"{"), "is not JSON"),
        (typed(TYPENAME, b"\xff"), "is not JSON"),
        (typed(TYPENAME, b"[]"), "is not a JSON object"),
        (typed(TYPENAME, b'{"payload": "x"}'), 'has no "topic"'),
        (typed(TYPENAME, b'{"topic": "", "payload": "x"}'), 'has no "topic"'),
        (typed(TYPENAME, b'{"topic": 1, "payload": "x"}'), 'has no "topic"'),
        (typed(TYPENAME, b'{"topic": "a"}'), 'or no "payload"'),
        (typed(TYPENAME, b'{"topic": "a", "payload": "\\ud800"}'), "is not valid Unicode"),
        (typed(TYPENAME, b'{"topic": "\\ud800", "payload": "a"}'), "is not valid Unicode"),
    ],
)
def test_what_is_no_record_says_why(record: bytes, reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=reason):
        decode_record(record)
