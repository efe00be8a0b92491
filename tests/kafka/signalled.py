"""`statefun`, whose process signals itself at a point of the exactly-once egress.

`SIGNAL_AT` says where: `<point> <how many times it is passed over> <number of the signal>`.
"""

import os
import sys
import threading
import time
from collections.abc import Mapping
from random import Random
from typing import Any

from confluent_kafka import Producer

from statefun_runtime.cli.main import main
from statefun_runtime.egress import kafka_transactions

VARIABLE = "SIGNAL_AT"
POINTS = ("init", "initialised", "begun", "produced", "flushed", "commit", "committing", "committed")
"""What was done last. `init` and `commit`: nothing was done of it yet; `committing`: some of it."""
LONGEST_COMMIT = 0.004
"""In seconds, about; where in it the point `committing` is, is random."""


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


def trapped(trap: Trap) -> type[Producer]:
    """The class of producers that run into a trap."""

    class TrappedProducer(Producer):
        def init_transactions(self, *arguments: Any) -> None:
            trap.passes("init")
            super().init_transactions(*arguments)
            trap.passes("initialised")

        def begin_transaction(self) -> None:
            super().begin_transaction()
            trap.passes("begun")

        def produce(self, *arguments: Any, **options: Any) -> None:
            super().produce(*arguments, **options)
            trap.passes("produced")

        def flush(self, *arguments: Any) -> int:
            left = super().flush(*arguments)
            trap.passes("flushed")
            return left

        def commit_transaction(self, *arguments: Any) -> None:
            trap.passes("commit")
            trap.passes_within("committing", LONGEST_COMMIT)
            super().commit_transaction(*arguments)
            trap.passes("committed")

    return TrappedProducer


if __name__ == "__main__":
    kafka_transactions.Producer = trapped(Trap(os.environ))  # type: ignore[attr-defined]
    sys.exit(main())
