"""Kinesis to Kinesis with a runtime that is killed and shards that are split and merged."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.kinesis.application import OUT
from tests.kinesis.node_server import NodeKinesis
from tests.kinesis.pipeline import IN, Pipeline
from tests.kinesis.server import Reader, Streams
from tests.kinesis.traffic import KEYS, Writing, differences

pytestmark = [pytest.mark.slow, pytest.mark.kinesis, pytest.mark.timeout(420)]

LIVES = {"killed at random": 14, "killed at a point": 22}
LIVES_OF_SHARDS = 5
"""After so many kills each shards are split or merged."""
TICK = 0.25
"""The server takes some hundred records a second, in and out."""
RECOVERY_SECONDS = 120.0


def test_each_record_counts_once_and_comes_out_in_order_and_only_what_was_not_known_to_be_out_comes_again(
    node_kinesis: NodeKinesis, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = time.time_ns() % 1_000_000
    random = Random(seed)
    say = printer(capsys)
    say(f"\nkills: seed {seed}, logs and data in {tmp_path}")
    pipeline = Pipeline(node_kinesis, tmp_path)
    try:
        with Writing(node_kinesis, IN, TICK) as writing:
            for number, fate in enumerate(random.sample(list(LIVES), sum(LIVES.values()), counts=list(LIVES.values()))):
                if number % LIVES_OF_SHARDS == 0:
                    reshard(node_kinesis, random)
                pipeline.live(fate, random)
        pipeline.launch()
        records = wait_for(node_kinesis, writing.written)
    finally:
        pipeline.runtime.kill()
    again = len(records) - len(set(records))
    say(
        f"  {dict(pipeline.kills)}, {len(node_kinesis.shards(IN))} shards, {writing.written} records, "
        f"{again} came again of {pipeline.waiting.total()} that waited after a kill"
    )
    assert differences(writing.written, records, pipeline.waiting) == []
    assert again > 0, "no kill came between a request and the commit that knows of it"


def reshard(streams: Streams, random: Random) -> None:
    """Split a shard, or merge two."""
    shards = streams.open_shards(IN)
    at = random.randrange(len(shards))
    if len(shards) < 3:
        streams.split(IN, shards[at])
    else:
        at = min(at, len(shards) - 2)
        streams.merge(IN, shards[at], shards[at + 1])


def wait_for(streams: Streams, count: int) -> list[tuple[str, str]]:
    """All outputs, once there are so many different ones."""
    give_up = time.monotonic() + RECOVERY_SECONDS
    reader, records = Reader(streams, OUT), list[tuple[str, str]]()
    while len(set(records)) < count:
        assert time.monotonic() < give_up, f"{len(set(records))} of {count} records came"
        time.sleep(0.5)  # between two looks
        records += reader.read()
    return records


def printer(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints at once, also while pytest captures."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return say


def test_what_must_not_be_is_told() -> None:
    right = [(f"k{first}", f"{place} {first + (place - 1) * KEYS}") for place in (1, 2) for first in range(KEYS)]
    written, second = 2 * KEYS, ("k0", f"2 {KEYS}")
    assert differences(written, right, Counter()) == []
    assert differences(written, [*right, second], Counter({second: 1})) == []
    assert differences(written, [*right, second], Counter()) == [
        f"k0: 2 {KEYS} came 1 times although it was known to be out"
    ]
    assert differences(written, right[:-1], Counter())[0].endswith(f"missing [(2, {written - 1})], never made []")
    swapped = [second, *[record for record in right if record != second]]
    assert differences(written, swapped, Counter()) == [f"k0: out of order: [((0, 0), (2, {KEYS}))]"]
    doubled = [("k0", f"3 {KEYS}") if record == second else record for record in right]
    assert differences(written, doubled, Counter())[0].endswith(f"missing [(2, {KEYS})], never made [(3, {KEYS})]")
