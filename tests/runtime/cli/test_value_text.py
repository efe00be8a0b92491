import pytest

from statefun import BoolType, FloatType, LongType
from statefun.wire import encode_typed_value
from statefun_runtime.cli.value_text import decode_payload, one_line


@pytest.mark.parametrize(
    ("typename", "content", "shown"),
    [
        ("io.statefun.types/long", LongType.serialize(1 << 40), str(1 << 40)),
        ("io.statefun.types/bool", BoolType.serialize(False), "false"),
        ("io.statefun.types/float", FloatType.serialize(0.5), "0.5"),
        ("a/Json", b'{"a":[1]}', '{"a": [1]}'),
        ("a/Raw", b"plain text", "base64:cGxhaW4gdGV4dA=="),
        ("io.statefun.types/int", b"\xff", "base64:/w=="),
        ("a/Deep", b"[" * 100_000, None),
    ],
)
def test_a_value_is_shown_as_json_if_it_can_be(typename: str, content: bytes, shown: str | None) -> None:
    decoded = decode_payload(encode_typed_value(typename, content))
    assert decoded["typename"] == typename
    if shown is None:
        assert one_line(decoded).startswith("base64:")
    else:
        assert one_line(decoded) == shown


def test_a_payload_without_a_value_is_shown_as_a_dash() -> None:
    assert one_line(decode_payload(encode_typed_value("a/Nothing", None))) == "-"
