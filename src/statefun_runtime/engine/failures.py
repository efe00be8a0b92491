"""What follows a failed call: when to try again, or that trying again is useless."""

from random import Random

from statefun_runtime.engine.limits import Limits
from statefun_runtime.engine.mailbox import Mailbox
from statefun_runtime.interfaces import Failure, FailureKind


class RetryPolicy:
    """Exponential back-off with jitter, within limits; `random` makes it repeatable."""

    def __init__(self, limits: Limits, random: Random) -> None:
        self._limits = limits
        self._random = random

    def delay(self, attempts: int, failure: Failure) -> int:
        """Milliseconds until the next attempt, at least what the function asked for."""
        ceiling = min(self._limits.retry_max, self._limits.retry_min << min(attempts - 1, 30))
        jittered = self._random.randint(ceiling // 2, ceiling)
        return max(jittered, failure.retry_after or 0)

    def gives_up(self, mailbox: Mailbox, failure: Failure, now: int) -> bool:
        """Whether the address parks. Not asked when nobody answers: the endpoint will be back."""
        if failure.kind is FailureKind.PERMANENT:
            return True
        exhausted = mailbox.attempts >= self._limits.max_attempts
        return exhausted and now - mailbox.failing_since >= self._limits.max_age
