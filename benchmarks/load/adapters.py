"""An ingress that makes its messages, and an egress that tells when they came: nothing else is measured with them.

Each message carries the time at which it was to be handed in, whether it was or not; the egress compares it with the
time at which it was given the record, which is when that was durable.
"""

import asyncio
import json
import struct
import time
from collections.abc import Iterator, Mapping
from itertools import chain, cycle, islice, repeat
from pathlib import Path
from random import Random

from statefun import DoubleType
from statefun.wire import encode_typed_value
from statefun_runtime.interfaces import AdapterContext, Arrival, Egress, Ingress, Inlet, OutboxBatch, Outlet
from statefun_runtime.module.spec import AdapterSpec

AT_ONCE = 500
"""Messages handed in together at most, as a poll of a broker brings them."""
_IDS = 1 << 16
"""The least random addresses that are drawn before the first message, and used again and again."""
_MOST_KEYS = 100_000
"""Addresses of more than so many are drawn for each message: 0.3 us, where a list would need hundreds of MiB."""
_TICK = 0.001
"""Seconds between two looks at the clock while messages have times."""
_SECONDS = struct.Struct("<d")
SIZED = "benchmarks/sized"
"""The type of values that are longer than a time."""


class LoadSpec(AdapterSpec):
    """How many messages, to how many addresses of which function, and how many a second (0: as many as it takes)."""

    count: int
    keys: int
    target: str
    rate: int = 0
    fill: int = 0
    """So many of them, the first, go to an address each."""
    size: int = 8
    """Bytes of a message's value, the last eight of which are its time."""


class LoadIngress(Ingress):
    """Hands in messages to random addresses, the same ones in every run."""

    spec_class = LoadSpec

    def __init__(self, spec: LoadSpec, context: AdapterContext) -> None:
        self._spec = spec
        self._counts = context.counts
        self._ids = ids(spec)
        self._padding = bytes(spec.size - _SECONDS.size)
        self._sent = 0

    async def start(self, inlet: Inlet, positions: Mapping[str, bytes]) -> None:
        self._inlet = inlet
        self._sent = int(positions.get("load", b"0"))
        self._ids = islice(self._ids, self._sent, None)

    async def run(self) -> None:
        spec, sent, began = self._spec, self._sent, time.perf_counter()
        while sent < spec.count:
            await self._inlet.room([spec.target])
            now = time.perf_counter()
            due = int((now - began) * spec.rate) if spec.rate else spec.count
            count = min(AT_ONCE, due - sent, spec.count - sent)
            if count <= 0:
                await asyncio.sleep(_TICK)
                continue
            if spec.rate:
                values = [self._value(began + (sent + number) / spec.rate) for number in range(count)]
            else:
                values = [self._value(now)] * count
            sent += count
            target, ids = spec.target, self._ids
            self._inlet.accept([Arrival((target, next(ids)), value) for value in values], "load", str(sent).encode())
            self._counts.records += count
            await asyncio.sleep(0)

    async def stop(self) -> None:
        """Nothing is under way."""

    def _value(self, at: float) -> bytes:
        if self._padding:
            return encode_typed_value(SIZED, self._padding + _SECONDS.pack(at))
        return encode_typed_value(DoubleType.typename, DoubleType.serialize(at))


def ids(spec: LoadSpec) -> Iterator[str]:
    """The addresses in the order of the messages, without an end: first each of those to fill, then random ones."""
    random = Random(1).random
    drawn: Iterator[str] = (str(int(spec.keys * random())) for _ in repeat(None))
    if spec.keys <= _MOST_KEYS:
        drawn = cycle(list(islice(drawn, max(_IDS, 4 * spec.keys))))
    return chain(map(str, range(spec.fill)), drawn)


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
