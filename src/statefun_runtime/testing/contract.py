"""What the checks of both contracts share: their errors, and waiting with an end."""

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 10.0
"""Seconds that a harness usually gives its adapter for each step."""
_POLL_SECONDS = 0.005


class ContractError(AssertionError):
    """An adapter does not keep what the runtime relies on. The text says what, and what was seen."""


class CrashError(Exception):
    """Raised by a runtime of the test kit in place of its death: an adapter does not handle it."""


async def until(condition: Callable[[], Awaitable[bool]], patience: float, what: Callable[[], str]) -> None:
    """Wait until `condition` holds. What it raises ends the waiting.

    Raises:
        ContractError: It did not hold within `patience` seconds; its text ends with `what()`.
    """
    loop = asyncio.get_running_loop()
    give_up = loop.time() + patience
    while not await condition():
        if loop.time() > give_up:
            raise ContractError(f"within {patience:g} s it did not happen that {what()}")
        await asyncio.sleep(_POLL_SECONDS)


async def stop_in_time(stop: Awaitable[None], patience: float) -> None:
    """Await the `stop` of an adapter; a ContractError if that takes longer than `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            await stop
    except TimeoutError as error:
        raise ContractError(f"`stop` did not return within {patience:g} s") from error
