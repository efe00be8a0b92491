from pathlib import Path

import pytest

from statefun_runtime.module.endpoint_spec import EndpointSpec
from statefun_runtime.module.endpoint_url import EndpointUrl, parse_url
from statefun_runtime.module.matching import EndpointMatcher
from statefun_runtime.module.position import Position
from statefun_runtime.module.transport_spec import TransportSpec

from .modules import Load, spots

V1 = "kind: io.statefun.endpoints.v1/http\nspec:\n  functions: a/*\n  urlPathTemplate: http://host/path\n"
V2 = V1.replace("v1", "v2")


def endpoint(load: Load, text: str) -> EndpointSpec:
    result = load(text)
    assert result.problems == ()
    (found,) = result.module.endpoints
    return found


def test_version_1_has_the_time_limits_of_okhttp(load: Load) -> None:
    found = endpoint(load, V1)
    assert (found.functions, found.url_template, found.max_batch) == ("a/*", "http://host/path", 1000)
    assert found.transport == TransportSpec(60_000, 10_000, 10_000, 10_000)


def test_version_2_has_those_of_the_async_transport(load: Load) -> None:
    found = endpoint(load, V2)
    assert found.max_batch == 1000
    assert found.transport == TransportSpec(
        call_timeout=120_000,
        connect_timeout=20_000,
        read_timeout=None,
        write_timeout=None,
        pool_ttl=15_000,
        pool_size=1024,
        payload_max_bytes=33_554_432,
    )


def test_all_properties_of_version_1_are_read(load: Load) -> None:
    text = V1 + "  maxNumBatchRequests: 7\n  timeouts: {call: 1 h, connect: 2 s, read: 3, write: 4 min}\n"
    found = endpoint(load, text)
    assert found.max_batch == 7
    assert found.transport == TransportSpec(3_600_000, 2000, 3, 240_000)


ASYNC = """\
  transport:
    type: io.statefun.transports.v1/async
    call: 1 s
    connect: 2 s
    pool_ttl: 3 s
    pool_size: 4
    payload_max_bytes: 5
    trust_cacerts: /ca.pem
    client_cert: /cert.pem
    client_key: /key.pem
    client_key_password: /password
"""


def test_all_properties_of_the_async_transport_are_read(load: Load) -> None:
    assert endpoint(load, V2 + ASYNC).transport == TransportSpec(
        call_timeout=1000,
        connect_timeout=2000,
        pool_ttl=3000,
        pool_size=4,
        payload_max_bytes=5,
        trust_cacerts=Path("/ca.pem"),
        client_cert=Path("/cert.pem"),
        client_key=Path("/key.pem"),
        client_key_password=Path("/password"),
    )


def test_the_timeouts_of_the_async_transport_win_over_those_beside_them(load: Load) -> None:
    transport = endpoint(load, V2 + ASYNC + "    timeouts: {call: 9 s}\n").transport
    assert (transport.call_timeout, transport.connect_timeout) == (9000, 2000)


def test_version_2_can_name_the_okhttp_transport(load: Load) -> None:
    text = V2 + "  transport: {type: io.statefun.transports.v1/okhttp, timeouts: {call: 7 s}}\n"
    assert endpoint(load, text).transport == TransportSpec(7000, 10_000, 10_000, 10_000)


def test_all_timeouts_of_the_okhttp_transport_are_read(load: Load) -> None:
    timeouts = "{call: 1 h, connect: 2 s, read: 3, write: 4 min}"
    text = V2 + f"  transport: {{type: io.statefun.transports.v1/okhttp, timeouts: {timeouts}}}\n"
    assert endpoint(load, text).transport == TransportSpec(3_600_000, 2000, 3, 240_000)


@pytest.mark.parametrize(("written", "limit"), [("1", 1), ("0", None), ("-5", None), ("1000", 1000)])
def test_a_batch_limit_of_0_or_less_is_none(load: Load, written: str, limit: int | None) -> None:
    assert endpoint(load, V2 + f"  maxNumBatchRequests: {written}\n").max_batch == limit


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("  maxNumBatchRequests: many\n", "module0.yaml:5:24 error spec.maxNumBatchRequests"),
        ("  transport: fast\n", "module0.yaml:5:14 error spec.transport"),
        ("  transport: {type: fast}\n", "module0.yaml:5:21 error spec.transport.type"),
        ("  transport: {call: 0}\n", "module0.yaml:5:21 error spec.transport.call"),
        ("  transport: {call: soon}\n", "module0.yaml:5:21 error spec.transport.call"),
        ("  transport: {pool_size: 0}\n", "module0.yaml:5:26 error spec.transport.pool_size"),
        ("  transport: {poolSize: 1}\n", "module0.yaml:5:15 warning spec.transport.poolSize"),
        ("  transport: {timeouts: {read: 1}}\n", "module0.yaml:5:26 warning spec.transport.timeouts.read"),
        ("  transport: {client_cert: a}\n", "module0.yaml:5:14 error spec.transport"),
        ("  transport: {client_key_password: a}\n", "module0.yaml:5:14 error spec.transport"),
        ('  transport: {trust_cacerts: "classpath:a"}\n', "module0.yaml:5:14 error spec.transport"),
        ("  transport: {trust_cacerts: .}\n", "module0.yaml:5:30 error spec.transport.trust_cacerts"),
        ("  timeouts: {call: 1}\n", "module0.yaml:5:3 warning spec.timeouts"),
    ],
)
def test_a_wrong_property_of_version_2_is_reported_where_it_stands(load: Load, more: str, expected: str) -> None:
    assert spots(load(V2 + more)) == [expected]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("  timeouts: {call: -1}\n", "module0.yaml:5:20 error spec.timeouts.call"),
        ("  timeouts: {cal: 1}\n", "module0.yaml:5:14 warning spec.timeouts.cal"),
        ("  transport: {}\n", "module0.yaml:5:3 warning spec.transport"),
    ],
)
def test_a_wrong_property_of_version_1_is_reported_where_it_stands(load: Load, more: str, expected: str) -> None:
    assert spots(load(V1 + more)) == [expected]


@pytest.mark.parametrize("functions", ["a", "/a", "a/", "*/a", "a/b*", "a*/b", "*/*", "a b/c"])
def test_a_pattern_is_a_typename_or_a_namespace(load: Load, functions: str) -> None:
    result = load(V2.replace("a/*", f"'{functions}'"))
    assert spots(result) == ["module0.yaml:3:14 error spec.functions"]


@pytest.mark.parametrize("functions", ["a/b", "a/*", "a.b/c/d", "a/b/*"])
def test_patterns_that_flink_takes_are_taken(load: Load, functions: str) -> None:
    assert endpoint(load, V2.replace("a/*", functions)).functions == functions


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://host/{function}", "the only placeholder is {function.name}"),
        ("http://host/{function.name}/{}", "contains {}"),
        ("http://host/{function.name", "contains {function.name; "),
        ("http://host/a}", "contains }"),
        ("ftp://host", "the scheme 'ftp'"),
        ("host:80/path", "the scheme 'host'"),
        ("/path", "the scheme ''"),
        ("tcp+unix:///a.sock", "the scheme 'tcp+unix'"),
        ("http+tcp://a", "the scheme 'http+tcp'"),
        ("http://", "has no host"),
        ("http://:80/", "has no host"),
        ("http://host:0", "has port 0"),
        ("http://host:70000", "Port out of range"),
        ("http://host:x", "Port could not be cast"),
        ("http://me:secret@host/", "must not carry credentials"),
        ("http://[::1", "Invalid IPv6"),
        ("http://host/a b", "must not contain spaces"),
        ("http+unix:///run/app/statefun", "the socket's file ends in .sock"),
        ("http+unix://run/app.sock", "the socket's file ends in .sock"),
    ],
)
def test_a_url_that_cannot_be_called_is_an_error(load: Load, url: str, message: str) -> None:
    (problem,) = load(V2.replace("http://host/path", f"'{url}'")).problems
    assert message in problem.message
    assert (problem.path, problem.line, problem.column) == ("spec.urlPathTemplate", 4, 20)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host", EndpointUrl(False, "host", 80, "/")),
        ("https://host/a/b?c=d", EndpointUrl(True, "host", 443, "/a/b?c=d")),
        ("http://host:8000/", EndpointUrl(False, "host", 8000, "/")),
        ("http://host?a=b", EndpointUrl(False, "host", 80, "/?a=b")),
        ("https://[::1]:8000/x", EndpointUrl(True, "::1", 8000, "/x")),
        ("http+unix:///run/app.sock", EndpointUrl(False, "localhost", 80, "/", "/run/app.sock")),
        ("http+unix:///run/app.sock/a/b", EndpointUrl(False, "localhost", 80, "/a/b", "/run/app.sock")),
        ("https+unix:///a.sock/b.sock?c", EndpointUrl(True, "localhost", 443, "/b.sock?c", "/a.sock")),
    ],
)
def test_urls_are_taken_apart(url: str, expected: EndpointUrl) -> None:
    assert parse_url(url) == expected


def spec(functions: str, url: str = "http://host/{function.name}") -> EndpointSpec:
    return EndpointSpec("kind", functions, url, 1000, TransportSpec(1, 1), Position("module.yaml", 1, 1))


@pytest.mark.parametrize(
    ("typename", "functions"),
    [
        ("a/greeter", "a/greeter"),
        ("a/other", "a/*"),
        ("b/greeter", "b/greeter"),
        ("b/other", None),
        ("a/b/greeter", None),
        ("c/d/x", "c/d/*"),
    ],
)
def test_the_specific_endpoint_wins_over_that_of_the_namespace(typename: str, functions: str | None) -> None:
    matcher = EndpointMatcher([spec("a/*"), spec("a/greeter"), spec("b/greeter"), spec("c/d/*")])
    found = matcher.match(typename)
    assert (found.functions if found else None) == functions
