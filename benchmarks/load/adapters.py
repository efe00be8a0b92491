"""An ingress that makes its messages, and an egress that tells when they came: nothing else is measured with them.

Each message carries the time at which it was to be handed in, whether it was or not; the egress compares it with the
time at which it was given the record, which is when that was durable.
"""

import asyncio
import json
import struct
import time
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from random import Random

from statefun import DoubleType
from statefun.wire import encode_typed_value
from statefun_runtime.interfaces import AdapterContext, Arrival, Egress, Ingress, Inlet, OutboxBatch, Outlet
from statefun_runtime.module.spec import AdapterSpec

AT_ONCE = 500
"""Messages handed in together at most, as a poll of a broker brings them."""
_IDS = 1 << 16
"""Random addresses that are used again and again: to draw one for each message would cost as much as half its call."""
_TICK = 0.001
"""Seconds between two looks at the clock while messages have times."""
_SECONDS = struct.Struct("<d")


class LoadSpec(AdapterSpec):
    """How many messages, to how many addresses of which function, and how many a second (0: as many as it takes)."""

    count: int
    keys: int
    target: str
    rate: int = 0


class LoadIngress(Ingress):
    """Hands in messages to random addresses, the same ones in every run."""

    spec_class = LoadSpec

    def __init__(self, spec: LoadSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        random = Random(1)
        self._ids = cycle([str(random.randrange(spec.keys)) for _ in range(max(_IDS, 4 * spec.keys))])

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:  # noqa: ARG002  (the port's)
        self._inlet = inlet

    async def run(self) -> None:
        spec, sent, began = self._spec, 0, time.perf_counter()
        while sent < spec.count:
            await self._inlet.room([spec.target])
            now = time.perf_counter()
            due = int((now - began) * spec.rate) if spec.rate else spec.count
            count = min(AT_ONCE, due - sent, spec.count - sent)
            if count <= 0:
                await asyncio.sleep(_TICK)
                continue
            if spec.rate:
                values = [_value(began + (sent + number) / spec.rate) for number in range(count)]
            else:
                values = [_value(now)] * count
            sent += count
            target, ids = spec.target, self._ids
            self._inlet.accept([Arrival((target, next(ids)), value) for value in values], "load", str(sent).encode())
            self._counts.records += count
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Nothing is under way."""


def _value(at: float) -> bytes:
    return encode_typed_value(DoubleType.typename, DoubleType.serialize(at))


class ArrivalsSpec(AdapterSpec):
    """Where to write how late the records were, when `count` have come; the first `warm` of them do not count."""

    path: Path
    count: int
    warm: int


class ArrivalsEgress(Egress):
    """Takes records and notes how late they are, in seconds, as a JSON list."""

    spec_class = ArrivalsSpec

    def __init__(self, spec: ArrivalsSpec, context: AdapterContext) -> None:  # noqa: ARG002  (the same)
        self._spec = spec
        self._late: list[float] = []

    async def start(self, outlet: Outlet, position: bytes | None) -> None:  # noqa: ARG002
        self._outlet = outlet

    def write(self, batch: OutboxBatch) -> None:
        now = time.perf_counter()
        self._late += [now - _SECONDS.unpack(record[-_SECONDS.size :])[0] for record in batch.records]
        self._outlet.released(batch.epoch, b"")
        if len(self._late) == self._spec.count:
            part = self._spec.path.with_suffix(".part")
            part.write_text(json.dumps(self._late[self._spec.warm :]), encoding="ascii")
            part.rename(self._spec.path)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Nothing is under way."""
