"""Kafka to Kafka through a runtime that is killed: each record once, in order for each key."""

import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.e2e.command import Runtime
from tests.kafka.broker import Broker
from tests.kafka.topics import Reader, Writer, create

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(180)]

MODULE = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: kafka/in
  address: {address}
  consumerGroupId: tests-in
  startupPosition: {{type: earliest}}
  topics:
    - {{topic: in, valueType: kafka/text, targets: [kafka/counter]}}
---
kind: io.statefun.kafka.v1/egress
spec:
  id: kafka/out
  address: {address}
  deliverySemantic: {{type: exactly-once, transactionTimeout: 30s}}
"""
KILLS = 8
IN_DOUBT = 2
"""Kills after which the runtime has to find out what went out; without them the test says little."""
MOST_KILLS = 40
KEYS = 5


@pytest.fixture
def runtime(broker: Broker, tmp_path: Path) -> Iterator[Runtime]:
    module = tmp_path / "module.yaml"
    module.write_text(MODULE.format(address=broker.address))
    started = Runtime(tmp_path, str(module), "--functions", "tests.kafka.application:functions")
    yield started
    started.kill()


def test_each_record_comes_once_and_in_order_through_kills(broker: Broker, runtime: Runtime) -> None:
    create(broker.address, "in", partitions=2)
    create(broker.address, "out")
    random = Random(5)
    writer = Writer(broker.address)
    written = kills = 0
    while kills < KILLS or in_doubt(runtime) < IN_DOUBT:
        assert kills < MOST_KILLS, "no kill came between a transaction and the commit that knows of it"
        kills += 1
        runtime.start("--lock-timeout", "20 s")
        until = time.monotonic() + random.uniform(0.2, 3)
        while time.monotonic() < until:
            batch = range(written, written + random.randrange(1, 20))
            writer.write("in", [(f"k{n % KEYS}".encode(), b"%d" % n) for n in batch])
            written = batch.stop
        runtime.kill()
    runtime.start("--lock-timeout", "20 s")
    reader = Reader(broker.address, "out")
    records = reader.read(written)
    reader.close()
    assert runtime.stop() == 0
    assert in_order(records) == expected(written)


def in_doubt(runtime: Runtime) -> int:
    log = runtime.directory / "run.log"
    return log.read_text().count("waiting epochs went out before") if log.exists() else 0


def in_order(records: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key, value in records:
        found[key].append(value)
    return dict(found)


def expected(written: int) -> dict[str, list[str]]:
    numbers = {f"k{key}": range(key, written, KEYS) for key in range(KEYS)}
    return {key: [f"{place} {n}" for place, n in enumerate(of_key, 1)] for key, of_key in numbers.items()}
