"""Shards are split and merged while the Kinesis ingress reads them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import pytest

from statefun.protocol.request_reply_pb2 import TypedValue
from statefun_runtime.ingress.kinesis_position import END, Place
from statefun_runtime.interfaces import Arrival, Rejected
from statefun_runtime.testing import MemoryInlet
from tests.kinesis.node_server import NodeKinesis
from tests.kinesis.server import Streams
from tests.kinesis.test_ingress import ingress, running, until
from tests.kinesis.traffic import KEYS, Writing

pytestmark = [pytest.mark.slow]


class Journal(MemoryInlet):
    """Also remembers the order in which shards were begun and ended."""

    def __init__(self) -> None:
        super().__init__(commits=True)
        self.begun: dict[str, int] = {}
        self.ended: dict[str, int] = {}

    def accept(
        self,
        arrivals: Sequence[Arrival],
        partition: str = "",
        position: bytes | None = None,
        rejected: Sequence[Rejected] = (),
    ) -> int:
        epoch = super().accept(arrivals, partition, position, rejected)
        shard = partition.partition("/")[2]
        if shard and position is not None:
            self.begun.setdefault(shard, epoch)
            if Place.decode(position) == END:
                self.ended[shard] = epoch
        return epoch


def reshard(streams: Streams, stream: str) -> None:
    """One shard becomes two, then one again, then four."""
    streams.split(stream, streams.open_shards(stream)[0])
    streams.merge(stream, *streams.open_shards(stream))
    streams.split(stream, streams.open_shards(stream)[0])
    for shard in streams.open_shards(stream):
        streams.split(stream, shard)


async def test_records_come_once_and_in_order_while_shards_are_split_and_merged(node_kinesis: NodeKinesis) -> None:
    node_kinesis.create("resharded")
    inlet = Journal()
    async with running(ingress(node_kinesis.url, "resharded"), inlet):
        with Writing(node_kinesis, "resharded") as writing:
            await until(inlet, KEYS)
            await asyncio.to_thread(reshard, node_kinesis, "resharded")
            await until(inlet, writing.written + KEYS)
        await until(inlet, writing.written)
    found: defaultdict[str, list[int]] = defaultdict(list)
    for arrival in inlet.arrivals:
        found[arrival.target[1]].append(int(TypedValue.FromString(arrival.payload).value))
    assert found == {f"k{first}": [*range(first, writing.written, KEYS)] for first in range(KEYS)}
    check_descent(node_kinesis, inlet)


def check_descent(streams: Streams, inlet: Journal) -> None:
    """All shards were read, each after those that it was made of were read to their ends."""
    shards = streams.client.list_shards(StreamName="resharded")["Shards"]
    assert len(shards) == 10
    assert len(inlet.ended) == 6
    assert inlet.begun.keys() == {shard["ShardId"] for shard in shards}
    for shard in shards:
        for parent in (shard.get("ParentShardId"), shard.get("AdjacentParentShardId")):
            assert parent is None or inlet.ended[parent] < inlet.begun[shard["ShardId"]]
