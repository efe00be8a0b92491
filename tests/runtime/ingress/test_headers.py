from multidict import CIMultiDict

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.headers import encode_headers
from statefun_runtime.ingress.payload import value_encoder


def forwarded(*headers: tuple[str, str]) -> list[tuple[str, bytes]]:
    payload = value_encoder("a/b")(b"x") + encode_headers(CIMultiDict(headers))
    typed = TypedValue.FromString(payload)
    assert (typed.typename, typed.value) == ("a/b", b"x")
    assert all(header.has_value for header in typed.metadata)
    return [(header.key, header.value) for header in typed.metadata]


def test_headers_travel_with_the_value_by_names_in_lower_case() -> None:
    assert forwarded(("X-Trace", "1"), ("traceparent", "grüß"), ("x-trace", "2")) == [
        ("x-trace", b"1"),
        ("traceparent", "grüß".encode()),
        ("x-trace", b"2"),
    ]


def test_a_header_that_is_no_text_keeps_its_bytes() -> None:
    assert forwarded(("x", b"\xff".decode(errors="surrogateescape"))) == [("x", b"\xff")]


def test_credentials_and_what_concerns_the_connection_stay_behind() -> None:
    assert (
        forwarded(("Authorization", "Basic YQ=="), ("Cookie", "a=b"), ("Host", "x"), ("Content-Length", "1"))
        == forwarded()
        == []
    )
