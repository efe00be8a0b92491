"""The smallest ingress and egress that keep the contract: a list is the source, a list is the sink."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.interfaces import AdapterContext, Arrival, Egress, Ingress, Inlet, OutboxBatch, Outlet, Payload
from statefun_runtime.testing import PATIENCE
from tests.runtime.egress.records import typed


class MemoryIngress:
    """Reads a list that grows; the position is the number of messages that were read."""

    def __init__(self, source: "MemorySource", context: AdapterContext) -> None:
        self.source, self.counts = source, context.counts
        self.next = 0

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        self.inlet = inlet
        self.next = int(positions.get("", b"0"))

    async def run(self) -> None:
        while True:
            while self.next == len(self.source.ids):
                self.source.grown.clear()
                await self.source.grown.wait()
            await self.inlet.room()
            self.accept(self.source.ids[self.next : self.next + 2])

    async def stop(self) -> None:
        pass

    def accept(self, ids: Sequence[str]) -> int:
        arrivals = [Arrival(("test/a", target_id), typed("test/text", b"x")) for target_id in ids]
        self.next += len(ids)
        self.counts.records += len(ids)
        return self.inlet.accept(arrivals, "", str(self.next).encode())


class MemorySource:
    keeps = True
    patience = PATIENCE

    def __init__(self, directory: Path) -> None:
        self.ids: list[str] = []
        self.grown = asyncio.Event()

    def ingress(self, context: AdapterContext) -> Ingress:
        return MemoryIngress(self, context)

    async def put(self, target_id: str) -> None:
        self.ids.append(target_id)
        self.grown.set()


class MemoryEgress:
    """Appends to a list, unless the epoch is known there under its lineage."""

    def __init__(self, sink: "MemorySink", context: AdapterContext) -> None:
        self.sink, self.counts = sink, context.counts
        self.waiting: list[OutboxBatch] = []
        self.arrived = asyncio.Event()

    async def start(self, outlet: Outlet, position: bytes | None) -> None:
        self.outlet = outlet

    def write(self, batch: OutboxBatch) -> None:
        self.waiting.append(batch)
        self.arrived.set()

    async def run(self) -> None:
        while True:
            await self.arrived.wait()
            self.arrived.clear()
            while self.waiting:
                batch = self.waiting.pop(0)
                self.put(batch)
                self.outlet.released(batch.epoch)

    async def stop(self) -> None:
        pass

    def put(self, batch: OutboxBatch) -> None:
        if not self.is_known(batch):
            self.append(batch)

    def is_known(self, batch: OutboxBatch) -> bool:
        return self.sink.epochs.get(batch.lineage, 0) >= batch.epoch

    def append(self, batch: OutboxBatch) -> None:
        self.sink.values += [TypedValue.FromString(record).value.decode() for record in batch.records]
        self.sink.epochs[batch.lineage] = batch.epoch
        self.counts.records += len(batch.records)


class MemorySink:
    exactly_once = True
    patience = PATIENCE

    def __init__(self, directory: Path) -> None:
        self.values: list[str] = []
        self.epochs: dict[str, int] = {}

    def egress(self, context: AdapterContext) -> Egress:
        return MemoryEgress(self, context)

    def record(self, value: str) -> Payload:
        return typed("test/text", value.encode())

    async def read(self) -> list[str]:
        return list(self.values)
