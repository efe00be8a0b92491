"""The time: the machine's, and the engine's, which never goes back."""

import time
from typing import Protocol

_NANOSECONDS = 1_000_000
"""In a millisecond."""


class Clock(Protocol):
    """Tells the time; moved by hand in tests."""

    def wall(self) -> int:
        """Milliseconds since the epoch; may step either way."""
        ...

    def monotonic(self) -> int:
        """Milliseconds since some point; never goes back."""
        ...


class SystemClock:
    """The machine's clocks."""

    def wall(self) -> int:
        """Milliseconds since the epoch; may step either way."""
        return time.time_ns() // _NANOSECONDS

    def monotonic(self) -> int:
        """Milliseconds since some point; never goes back."""
        return time.monotonic_ns() // _NANOSECONDS


class EngineClock:
    """Engine time: milliseconds since the epoch that never go back, not even over a restart.

    A reading is the wall clock, or the last reading plus the monotonic time since it, whichever is later: a wall clock
    that steps back is overtaken by real time, one that steps forward is followed.
    """

    def __init__(self, clock: Clock, committed: int = 0) -> None:
        """Start from `committed`, the last engine time that an epoch made durable."""
        self._clock = clock
        self._last = committed
        self._read_at = clock.monotonic()

    def now(self) -> int:
        """The engine time of this moment, at least that of every earlier call."""
        read_at = self._clock.monotonic()
        self._last = max(self._clock.wall(), self._last + read_at - self._read_at)
        self._read_at = read_at
        return self._last
