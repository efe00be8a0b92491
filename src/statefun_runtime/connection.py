"""How an ingress or an egress gets on with the system outside that it reads or writes."""

import time
from collections.abc import Mapping
from typing import NamedTuple


class Problem(NamedTuple):
    """What does not work now: since when (milliseconds since the epoch), why, in words, and what the client says."""

    since: int
    reason: str
    detail: str = ""


class Connection:
    """The problems of one adapter, by what they concern, such as `brokers` or `topic orders`.

    An adapter writes it, on whichever thread its clients call it; `/status` and the metrics read it on the event loop.
    So mappings are replaced and never changed.
    """

    __slots__ = ("errors", "is_used", "lag", "last_error", "problems", "since", "was_up")

    def __init__(self) -> None:
        self.is_used = False
        """Whether the adapter tells anything here; nothing is shown of one that does not."""
        self.was_up = False
        self.since = _now()
        """When its state became what it is, in milliseconds since the epoch."""
        self.errors = 0
        """All errors so far, also those that came again."""
        self.problems: Mapping[str, Problem] = {}
        self.last_error = ""
        """The reason of the newest error, whether it is over or not."""
        self.lag: Mapping[str, int] = {}
        """By partition, how many records of the source were not taken yet."""

    @property
    def state(self) -> str:
        """`trying` while there are problems; else `connected`, or `connecting` before the first success."""
        if self.problems:
            return "trying"
        return "connected" if self.was_up else "connecting"

    def failed(self, what: str, reason: str, detail: str = "", *, is_vague: bool = False) -> bool:
        """Note that something does not work; return whether that, or the reason, is new.

        Args:
            what: What it concerns.
            reason: Why, in words that do not change while the reason does not.
            detail: What the client says; no secret.
            is_vague: Whether a reason that is known already says more than this one.
        """
        known = self.problems.get(what)
        self.is_used = True
        self.errors += 1
        self.last_error = f"{reason} ({detail})" if detail else reason
        if known is not None and (is_vague or known.reason == reason):
            return False
        if not self.problems:
            self.since = _now()
        self.problems = {**self.problems, what: Problem(known.since if known else _now(), reason, detail)}
        return True

    def works(self, what: str) -> bool:
        """Note that something works; return whether there was a problem with it."""
        was, was_broken = self.state, what in self.problems
        self.is_used = self.was_up = True
        if was_broken:
            self.problems = {other: problem for other, problem in self.problems.items() if other != what}
        if self.state != was:
            self.since = _now()
        return was_broken

    def as_json(self) -> dict[str, object] | None:
        """What `/status` shows; `None` if the adapter tells nothing."""
        if not self.is_used:
            return None
        return {
            "state": self.state,
            "since": self.since,
            "errors": self.errors,
            "last_error": self.last_error,
            "problems": {what: problem._asdict() for what, problem in self.problems.items()},
            "lag": dict(self.lag),
        }


def _now() -> int:
    return int(time.time() * 1000)
