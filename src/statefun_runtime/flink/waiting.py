"""Waits for savepoints that Flink makes."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from statefun_runtime.errors import FlinkError
from statefun_runtime.flink.rest import FlinkRest


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, how often to ask, and how often to say that it is not done. Seconds."""

    limit: float
    ask_every: float = 0.05
    tell_every: float = 5.0


def wait_for_savepoint(
    rest: FlinkRest, job: str, request: str, patience: Patience, report: Callable[[str], None]
) -> str:
    """Where the savepoint lies that was asked for by `request`.

    Raises:
        FlinkError: Flink could not make it, or the time was not enough, in which case Flink may still make it.
    """
    began = time.monotonic()
    told = began
    while (place := rest.saved(job, request)) is None:
        now = time.monotonic()
        if now - began >= patience.limit:
            raise FlinkError(
                f"there is no savepoint after {patience.limit:g} s; Flink goes on making it. A larger --timeout waits "
                "longer, and `statefun flink status` shows the savepoint once it is there"
            )
        if now - told >= patience.tell_every:
            told = now
            report(f"the savepoint is being made, {now - began:.0f} s so far")
        time.sleep(min(patience.ask_every, patience.limit))
    return place
