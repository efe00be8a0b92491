"""The client of functions and their server together."""

import asyncio
from pathlib import Path

import pytest

from statefun import Context, Int64Type, Message, RequestReplyHandler, StatefulFunctions, ValueSpec
from statefun_runtime.endpoint.http import HttpEndpoint
from statefun_runtime.endpoint.listener import ListenAddress
from statefun_runtime.errors import ModuleError
from statefun_runtime.interfaces import Effects, FailureKind, MissingStates, StateSpec
from tests.runtime.endpoint.certificates import Certificate, make_certificate, server_context
from tests.runtime.endpoint.raw_client import Serve, served
from tests.runtime.endpoint.scripted_server import batch, call, failure, reply_bytes, settings, started, text_of


async def answer(_: bytes) -> bytes:
    return reply_bytes()


@pytest.fixture(scope="module")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost", ("127.0.0.1", "localhost"))


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "elsewhere", ("elsewhere.invalid",), password="secret")


async def test_functions_of_the_sdk_are_called_over_tcp() -> None:
    functions = StatefulFunctions()

    @functions.bind("example/greeter", specs=[ValueSpec("seen", Int64Type)])
    def greet(context: Context, message: Message) -> None:
        context.storage.seen = (context.storage.seen or 0) + 1

    async with (
        served(RequestReplyHandler(functions)) as server,
        started(HttpEndpoint(f"http://127.0.0.1:{server.port}/{{function.name}}", settings())) as endpoint,
    ):
        missing = await call(endpoint)
        assert missing == MissingStates((StateSpec("seen", "io.statefun.types/long"),))
        sent = batch()
        sent.state["seen"] = None
        effects = await call(endpoint, sent)
        assert isinstance(effects, Effects)
        assert list(effects.mutations) == ["seen"]
        unknown = failure(await call(endpoint, batch(typename="example/unknown")), FailureKind.TRANSIENT)
        assert "answered 500" in unknown.reason


async def test_many_calls_at_once_each_get_their_own_reply(tmp_path: Path) -> None:
    file = tmp_path / "functions.sock"

    async def echo_slowly(data: bytes) -> bytes:
        await asyncio.sleep(0)
        return reply_bytes(data)

    async with (
        served(Serve(echo_slowly), ListenAddress(path=file)),
        started(HttpEndpoint(f"http+unix://{file}/", settings(pool_size=20))) as endpoint,
    ):
        texts = [b"%d" % number for number in range(500)]
        replies = await asyncio.gather(*(call(endpoint, batch(text)) for text in texts))
        assert all(text in text_of(reply) for text, reply in zip(texts, replies, strict=True))


async def test_calls_go_over_tls(localhost: Certificate) -> None:
    address = ListenAddress(port=0, tls=server_context(localhost))
    async with (
        served(Serve(answer), address) as server,
        started(HttpEndpoint(f"https://127.0.0.1:{server.port}/", settings(trust_cacerts=localhost.cert))) as endpoint,
    ):
        for _ in range(3):
            assert text_of(await call(endpoint)) == b"done"
        large = await call(endpoint, batch(b"x" * 3_000_000))
        assert text_of(large) == b"done"


async def test_calls_go_over_tls_on_a_unix_socket(localhost: Certificate, tmp_path: Path) -> None:
    file = tmp_path / "functions.sock"
    async with (
        served(Serve(answer), ListenAddress(path=file, tls=server_context(localhost))),
        started(HttpEndpoint(f"https+unix://{file}/", settings(trust_cacerts=localhost.cert))) as endpoint,
    ):
        assert text_of(await call(endpoint)) == b"done"


async def test_a_server_whose_certificate_is_not_trusted_is_unreachable(
    localhost: Certificate, elsewhere: Certificate
) -> None:
    async with served(Serve(answer), ListenAddress(port=0, tls=server_context(localhost))) as server:
        url = f"https://127.0.0.1:{server.port}/"
        for trusted in (elsewhere.cert, None):
            async with started(HttpEndpoint(url, settings(trust_cacerts=trusted))) as endpoint:
                assert "certificate" in failure(await call(endpoint), FailureKind.UNREACHABLE).reason.lower()


async def test_a_client_shows_the_certificate_that_it_was_given(localhost: Certificate, elsewhere: Certificate) -> None:
    password = elsewhere.key.with_suffix(".password")
    password.write_text("secret\n")
    shown = settings(
        trust_cacerts=localhost.cert,
        client_cert=elsewhere.cert,
        client_key=elsewhere.key,
        client_key_password=password,
    )
    address = ListenAddress(port=0, tls=server_context(localhost, client_authority=elsewhere.cert))
    async with served(Serve(answer), address) as server:
        url = f"https://127.0.0.1:{server.port}/"
        async with started(HttpEndpoint(url, shown)) as endpoint:
            assert text_of(await call(endpoint)) == b"done"
        async with started(HttpEndpoint(url, settings(trust_cacerts=localhost.cert))) as endpoint:
            failure(await call(endpoint), FailureKind.TRANSIENT)


async def test_files_of_tls_that_cannot_be_used_are_named_at_start(
    localhost: Certificate, elsewhere: Certificate
) -> None:
    wrong_password = elsewhere.key.with_suffix(".wrong")
    wrong_password.write_text("wrong")
    missing = localhost.cert.with_name("missing.pem")
    for named, changes in (
        (missing, {"trust_cacerts": missing}),
        (localhost.key, {"trust_cacerts": localhost.key}),
        (missing, {"client_cert": missing, "client_key": localhost.key}),
        (elsewhere.key, {"client_cert": elsewhere.cert, "client_key": elsewhere.key}),
        (localhost.key, {"client_cert": elsewhere.cert, "client_key": localhost.key}),
        (
            elsewhere.key,
            {
                "client_cert": elsewhere.cert,
                "client_key": elsewhere.key,
                "client_key_password": wrong_password,
            },
        ),
        (missing, {"client_cert": elsewhere.cert, "client_key": elsewhere.key, "client_key_password": missing}),
    ):
        with pytest.raises(ModuleError, match=str(named)):
            await HttpEndpoint("https://127.0.0.1/", settings(**changes)).start()
