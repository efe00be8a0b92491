import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun.protocol.types_pb2 import IntWrapper, StringWrapper
from statefun_runtime.ingress.request import InvalidRequestError, address_of, payload_of


@pytest.mark.parametrize(
    ("path", "address"),
    [
        ("/example/greeter/Ann", ("example/greeter", "Ann")),
        ("/com.example/a%2Eb/%C3%BC%2Fx%20y", ("com.example/a.b", "ü/x y")),
        ("/a%2Fb/c/..", ("a/b/c", "..")),
        ("/a/b/+", ("a/b", "+")),
    ],
)
def test_the_path_names_the_target(path: str, address: tuple[str, str]) -> None:
    assert address_of(path) == address


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/", "the path must be"),
        ("/a/b", "the path must be"),
        ("/a/b/", "the path must be"),
        ("/a//c", "the path must be"),
        ("/a/b/c/d", "the path must be"),
        ("/a/b/%FF", "not percent-encoded UTF-8"),
        ("/a/b%2Fc/d", "must not contain a slash"),
        ("/a/b%20c/d", "space"),
    ],
)
def test_a_path_that_names_no_target_is_refused(path: str, reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=reason):
        address_of(path)


def typed(content_type: str, body: bytes) -> tuple[str, bytes]:
    value = TypedValue.FromString(payload_of(content_type, body))
    assert value.has_value
    return value.typename, value.value


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/json", "text/plain; charset=utf-8", "application/octet-stream"]
)
def test_any_other_content_type_is_text(content_type: str) -> None:
    typename, value = typed(content_type, "grüß".encode())
    assert (typename, StringWrapper.FromString(value).value) == ("io.statefun.types/string", "grüß")


def test_text_in_another_charset_is_converted() -> None:
    _, value = typed('text/plain; q=1; Charset="latin-1"', "grüß".encode("latin-1"))
    assert StringWrapper.FromString(value).value == "grüß"


def test_an_empty_body_is_the_empty_text() -> None:
    assert typed("text/plain", b"") == ("io.statefun.types/string", b"")


@pytest.mark.parametrize(
    "content_type",
    ["application/vnd.example/GreetRequest", "Application/VND.example/GreetRequest; v=1"],
)
def test_a_vendor_type_is_the_typename_and_the_body_its_value(content_type: str) -> None:
    assert typed(content_type, b"\x00\xff") == ("example/GreetRequest", b"\x00\xff")


def test_a_primitive_vendor_type_takes_the_encoded_wrapper() -> None:
    body = IntWrapper(value=7).SerializeToString()
    assert typed("application/vnd.io.statefun.types/int", body) == ("io.statefun.types/int", body)


@pytest.mark.parametrize(
    ("typename", "body", "value"),
    [
        ("io.statefun.types/int", b" 7\n", IntWrapper(value=7).SerializeToString()),
        ("io.statefun.types/string", '"grüß"'.encode(), StringWrapper(value="grüß").SerializeToString()),
        ("shop/AddToCart", b'{"item":  "socks"}', b'{"item":  "socks"}'),
    ],
)
def test_json_is_the_value_of_a_primitive_and_stays_as_it_is_for_any_other_type(
    typename: str, body: bytes, value: bytes
) -> None:
    assert typed(f"application/vnd.{typename}+json; charset=utf-8", body) == (typename, value)


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("text/plain", b"\xff", "not text in utf-8"),
        ("text/plain; charset=klingon", b"x", "'klingon' is unknown"),
        ("text/plain; charset=zlib", b"x", "'zlib' is unknown"),
        ("application/vnd.api+json", b"{}", "'api' is not a typename"),
        ("application/vnd.", b"", "not a typename"),
        (
            "application/vnd.io.statefun.types/string",
            b"hello",
            "no encoded io.statefun.types/string.*send its value as JSON",
        ),
        ("application/vnd.io.statefun.types/int+json", b"2147483648", "the body is no io.statefun.types/int"),
        ("application/vnd.io.statefun.types/int+json", b'"7"', "the body is no io.statefun.types/int"),
        ("application/vnd.io.statefun.types/double+json", b"NaN", "NaN is not JSON"),
        ("application/vnd.shop/AddToCart+json", b"{item: 1}", "the body is not JSON"),
        ("application/vnd.shop/AddToCart+json", b'"\xff"', "not UTF-8"),
        ("application/vnd.io.statefun.types/long", b"42", "no encoded io.statefun.types/long"),
    ],
)
def test_a_body_that_is_no_value_is_refused(content_type: str, body: bytes, reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=reason):
        payload_of(content_type, body)
