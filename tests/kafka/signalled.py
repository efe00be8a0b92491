"""`statefun`, whose process signals itself at a point of the exactly-once egress.

The variable of `tests.e2e.trap` says where.
"""

import os
import sys
from typing import Any

from confluent_kafka import Producer

from statefun_runtime.cli.main import main
from statefun_runtime.egress import kafka_transactions
from tests.e2e.trap import Trap

POINTS = ("init", "initialised", "begun", "produced", "flushed", "commit", "committing", "committed")
"""What was done last. `init` and `commit`: nothing was done of it yet; `committing`: some of it."""
LONGEST_COMMIT = 0.004
"""In seconds, about; where in it the point `committing` is, is random."""


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
