"""Who keeps the event loop is told of, by name."""

import asyncio
import logging
import time

import pytest

from statefun import Context, Message, StatefulFunctions, StringType, message_builder
from statefun_runtime.endpoint.inprocess import InProcessEndpoint
from statefun_runtime.endpoint.loop_watch import HELD_SECONDS, LoopWatch
from statefun_runtime.interfaces import Batch, Reply

ADDRESS = ("shop/slow", "ada")


def plain(context: Context, message: Message) -> None:
    keep_the_loop()


async def at_once(context: Context, message: Message) -> None:
    keep_the_loop()


async def after_a_wait(context: Context, message: Message) -> None:
    await asyncio.sleep(0)
    keep_the_loop()


async def waiting(context: Context, message: Message) -> None:
    await asyncio.sleep(1.2 * HELD_SECONDS)


def keep_the_loop() -> None:
    end = time.perf_counter() + 1.1 * HELD_SECONDS
    while time.perf_counter() < end:
        pass


async def call(endpoint: InProcessEndpoint) -> None:
    replied: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    payload = message_builder("shop/slow", "ada", value="x", value_type=StringType).payload()
    batch = Batch(ADDRESS, {}, [(1, ADDRESS, None, payload)])
    endpoint.invoke(batch, lambda _, reply: replied.set_result(reply))
    await replied


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("function", [plain, at_once, after_a_wait])
async def test_a_function_that_keeps_the_loop_is_named(caplog: pytest.LogCaptureFixture, function: object) -> None:
    functions = StatefulFunctions()
    functions.bind("shop/slow")(function)  # type: ignore[type-var]
    endpoint = InProcessEndpoint(functions, 10)
    await call(endpoint)
    await endpoint.stop()
    [warning] = warnings(caplog)
    assert warning.startswith("the function shop/slow 'ada' kept the event loop for 0.1")


async def test_a_function_that_waits_keeps_nothing(caplog: pytest.LogCaptureFixture) -> None:
    functions = StatefulFunctions()
    functions.bind("shop/slow")(waiting)
    endpoint = InProcessEndpoint(functions, 10)
    await call(endpoint)
    await endpoint.stop()
    assert warnings(caplog) == []


def test_each_function_is_told_of_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    times = iter((0.0, 59.0, 59.0, 60.0))
    watch = LoopWatch(lambda: next(times))
    for address in (ADDRESS, ADDRESS, ("shop/other", "x"), ADDRESS):
        watch.ran(address, 2.0)
    assert [text.split()[2] for text in warnings(caplog)] == ["shop/slow", "shop/other", "shop/slow"]
