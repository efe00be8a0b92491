"""Points at which a process signals itself.

The variable says at which: `<point> <how many times it is passed over> <number of the signal>`.
"""

import os
import threading
import time
from collections.abc import Mapping
from random import Random

VARIABLE = "SIGNAL_AT"


class Trap:
    """Counts how often a point is passed, and signals the process when it is time."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.point, count, number = environment[VARIABLE].split()
        self._left = int(count)
        self._number = int(number)

    def passes(self, point: str) -> None:
        if self._is_time(point):
            os.kill(os.getpid(), self._number)

    def passes_within(self, point: str, seconds: float) -> None:
        """Signal within the next seconds, while the caller goes on."""
        if self._is_time(point):
            threading.Thread(target=self._signal_after, args=(Random().uniform(0, seconds),), daemon=True).start()

    def _is_time(self, point: str) -> bool:
        if point != self.point:
            return False
        self._left -= 1
        return self._left == -1

    def _signal_after(self, seconds: float) -> None:
        # Where in the commit the signal comes is the point; nothing waits for it.
        time.sleep(seconds)
        os.kill(os.getpid(), self._number)
