"""What a subscription takes and gives: records a second into its log, and out to readers over HTTP.

Usage: python -m benchmarks.subscription [--records N] [--bytes B] [--readers R]

The egress runs alone in this process, with its readers in another, on an empty directory. Each epoch has 500 records.
"""

import argparse
import asyncio
import json
import multiprocessing
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.pool import AsyncResult
from pathlib import Path

from benchmarks.subscription.reader import EGRESS, read
from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.egress.subscription import SubscriptionEgress
from statefun_runtime.interfaces import AdapterContext, OutboxBatch, Outlet, RecordCounts, Rejected
from statefun_runtime.module.egress_spec import SubscriptionEgressSpec

EPOCH = 500


class Released(Outlet):
    """Tells when the last epoch is out."""

    def __init__(self, last: int) -> None:
        self._last = last
        self.all = asyncio.Event()

    def released(self, epoch: int, position: bytes | None = None) -> None:  # noqa: ARG002  # nothing is kept
        if epoch >= self._last:
            self.all.set()

    async def reject(self, batch: OutboxBatch, records: Mapping[int, Rejected]) -> OutboxBatch:
        raise NotImplementedError


async def measure(directory: Path, records: int, size: int, readers: int) -> None:
    outlet = Released(records // EPOCH)
    spec = SubscriptionEgressSpec(id=EGRESS, port=0, retention_size=1 << 40)
    egress = SubscriptionEgress(spec, AdapterContext(RecordCounts(), data_dir=directory, lineage="benchmark"))
    await egress.start(outlet, None)
    value = json.dumps({"text": "x" * size}).encode()
    payload = TypedValue(typename="benchmark/Record", has_value=True, value=value).SerializeToString()
    started = time.perf_counter()
    for epoch in range(1, records // EPOCH + 1):
        egress.write(OutboxBatch("benchmark", epoch, [payload] * EPOCH))
        await asyncio.sleep(0)
    await outlet.all.wait()
    seconds = time.perf_counter() - started
    print(f"written and synced: {records / seconds:,.0f} records/s of {len(value)} bytes")
    with multiprocessing.get_context("spawn").Pool(readers) as pool:
        reading: list[AsyncResult[float]] = [pool.apply_async(read, (egress.port, records)) for _ in range(readers)]
        taken = await asyncio.gather(*(asyncio.to_thread(result.get) for result in reading))
    print(f"read by each of {readers} readers: {records / max(taken):,.0f} records/s")
    await egress.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=200_000, help="how many records")
    parser.add_argument("--bytes", type=int, default=100, help="of text in each")
    parser.add_argument("--readers", type=int, default=1, help="who read at once")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="statefun-subscription-") as directory:
        asyncio.run(measure(Path(directory), arguments.records // EPOCH * EPOCH, arguments.bytes, arguments.readers))


if __name__ == "__main__":
    main()
