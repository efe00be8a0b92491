"""`statefun`, whose process kills itself at a point of the Kinesis ingress or egress: `tests.e2e.trap` says where."""

import os
import sys
from collections.abc import Iterable, Sequence

from statefun_runtime.cli.main import main
from statefun_runtime.egress import kinesis as egress
from statefun_runtime.ingress import kinesis as ingress
from statefun_runtime.kinesis.client import KinesisClient, PutRecord, StoredRecord
from tests.e2e.trap import Trap

POINTS = ("fetched", "put", "putting", "answered")
"""What was done last. `put`: nothing was done of it yet; `putting`: some of it."""
LONGEST_PUT = 0.01
"""In seconds, about; where in it the point `putting` is, is random."""


def trapped(trap: Trap) -> type[KinesisClient]:
    """The class of clients that run into a trap."""

    class TrappedClient(KinesisClient):
        async def records(self, iterator: str, most: int) -> tuple[list[StoredRecord], str | None]:
            found = await super().records(iterator, most)
            if found[0]:
                trap.passes("fetched")
            return found

        async def put(self, stream: str, records: Iterable[PutRecord]) -> Sequence[str | None]:
            trap.passes("put")
            trap.passes_within("putting", LONGEST_PUT)
            answers = await super().put(stream, records)
            trap.passes("answered")
            return answers

    return TrappedClient


if __name__ == "__main__":
    client = trapped(Trap(os.environ))
    egress.KinesisClient = ingress.KinesisClient = client  # type: ignore[attr-defined]
    sys.exit(main())
