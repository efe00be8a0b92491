"""How long to wait before the next attempt."""

import random

_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 5.0


class Backoff:
    """Doubles from 0.1 s to 5 s, with jitter, so that those who were throttled together do not come back together."""

    def __init__(self) -> None:
        self._seconds = _FIRST_SECONDS

    def next(self) -> float:
        """Seconds to wait after one more failure: between half of the present step and all of it."""
        seconds = self._seconds
        self._seconds = min(2 * seconds, _LONGEST_SECONDS)
        return seconds * random.uniform(0.5, 1)  # noqa: S311  jitter needs no secrecy

    def reset(self) -> None:
        """Begin anew: an attempt went well."""
        self._seconds = _FIRST_SECONDS
