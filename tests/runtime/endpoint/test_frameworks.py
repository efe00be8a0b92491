"""A function server on aiohttp: what the framework answers by itself, and what the runtime makes of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from statefun import Context, Message, RequestReplyHandler, StatefulFunctions
from statefun_runtime.endpoint.http import HttpEndpoint
from statefun_runtime.interfaces import Effects, FailureKind
from tests.runtime.endpoint.scripted_server import batch, call, failure, settings, started

functions = StatefulFunctions()


@functions.bind("example/greeter")
def greet(context: Context, message: Message) -> None:
    if message.raw_value() == b"fail":
        raise RuntimeError("on purpose")


async def handle(request: web.Request) -> web.Response:
    body = await RequestReplyHandler(functions).handle_async(await request.read())
    return web.Response(body=body, content_type="application/octet-stream")


@asynccontextmanager
async def calling(path: str = "/statefun") -> AsyncIterator[HttpEndpoint]:
    """An endpoint that calls `path` of a server that is written as its users write one."""
    application = web.Application()
    application.router.add_post("/statefun", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
        async with started(HttpEndpoint(url, settings())) as endpoint:
            yield endpoint
    finally:
        await runner.cleanup()


async def test_a_call_is_answered() -> None:
    async with calling() as endpoint:
        assert isinstance(await call(endpoint), Effects)


async def test_a_failing_function_is_transient_and_the_framework_keeps_the_reason_to_itself() -> None:
    async with calling() as endpoint:
        reason = failure(await call(endpoint, batch(b"fail")), FailureKind.TRANSIENT).reason
    assert "answered 500: 500 Internal Server Error" in reason
    assert "on purpose" not in reason


async def test_a_request_beyond_the_frameworks_limit_of_1_mib_is_permanent() -> None:
    async with calling() as endpoint:
        reason = failure(await call(endpoint, batch(b"x" * (1 << 20))), FailureKind.PERMANENT).reason
    assert "answered 413: Maximum request body size 1048576 exceeded" in reason


async def test_a_path_that_the_framework_does_not_know_is_permanent() -> None:
    async with calling("/elsewhere") as endpoint:
        reason = failure(await call(endpoint), FailureKind.PERMANENT).reason
    assert "answered 404: 404: Not Found" in reason
