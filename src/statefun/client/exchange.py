"""What a client sends and makes of what comes back, without I/O: both clients carry out the same plans.

A plan is a generator. It yields a `Request` to be made and is sent the `Answer`, or `Broken` if there was none; or it
yields a `Pause` and is sent nothing when that is over.
"""

import json
import random
import time
from collections.abc import Callable, Generator, Mapping
from typing import NamedTuple, TypeAlias, TypeVar, cast

from statefun.client.errors import UnavailableError

T = TypeVar("T")

MARGIN = 10.0
"""Seconds that an answer may take beyond what was asked for."""
_FIRST_DELAY = 0.05
_LONGEST_DELAY = 2.0
_TRY_LATER = (429, 503)


class Request(NamedTuple):
    """An HTTP request, which may take `seconds`; `path` is below that of the client's URL."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    seconds: float


class Answer(NamedTuple):
    """A complete HTTP response; the names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """What it says about an error: the runtime writes `{"error": …}`, others whatever they like."""
        text = self.body.decode(errors="replace").strip()
        try:
            decoded: object = json.loads(text)
        except ValueError:
            decoded = None
        if isinstance(decoded, dict) and "error" in decoded:
            text = str(cast("dict[str, object]", decoded)["error"])
        return text or f"status {self.status}"


class Broken(NamedTuple):
    """No answer: why, and whether the request may have arrived nevertheless."""

    reason: str
    maybe_taken: bool


class Pause(NamedTuple):
    """Wait so long."""

    seconds: float


Plan: TypeAlias = Generator[Request | Pause, Answer | Broken | None, T]


class Patience(NamedTuple):
    """How long to try again, and by which clock."""

    seconds: float
    now: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.SystemRandom().random


def persist(make: Callable[[float], Request], patience: Patience, key: str | None) -> Plan[Answer]:
    """Make a request until it is answered with something else than "later".

    It is tried again after 429, after 503 with `Retry-After`, and when the connection broke. That is safe if the
    request has a key, or changes nothing.

    Args:
        make: The request, for the seconds that are left.
        patience: How long to begin further attempts.
        key: The key of the request, for the error.

    Raises:
        UnavailableError: There was no other answer in time.
    """
    deadline = patience.now() + patience.seconds
    delay = _FIRST_DELAY
    maybe_taken = False
    while True:
        outcome = yield make(deadline - patience.now())
        if isinstance(outcome, Answer):
            wait = _retry_after(outcome)
            if wait is None:
                return outcome
            reason = f"status {outcome.status}: {outcome.error}"
            maybe_taken = maybe_taken or outcome.status != 429
        elif outcome is None:
            raise TypeError("a request is answered, or its connection broke")
        else:
            wait, reason = 0.0, outcome.reason
            maybe_taken = maybe_taken or outcome.maybe_taken
        pause = max(wait, delay * (0.5 + patience.jitter() / 2))
        if patience.now() + pause >= deadline:
            hint = "; an attempt may have got through" if maybe_taken else ""
            raise UnavailableError(
                f"tried for {patience.seconds:g} s, the last time: {reason}{hint}", maybe_taken=maybe_taken, key=key
            )
        yield Pause(pause)
        delay = min(2 * delay, _LONGEST_DELAY)


def _retry_after(answer: Answer) -> float | None:
    """The seconds to wait before the request is made again; `None` if it must not be."""
    if answer.status not in _TRY_LATER:
        return None
    text = answer.headers.get("retry-after")
    if text is None:
        return 0.0 if answer.status == 429 else None
    return float(text) if text.isascii() and text.isdecimal() else 0.0
