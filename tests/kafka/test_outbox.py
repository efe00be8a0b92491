"""While no broker is there the outbox grows to its limit; then inputs wait, and nothing is lost or doubled.

That of the outbox only `outbox_memory` is in memory: `tests/runtime/test_driver_egresses.py`.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Runtime, get, wait_until
from tests.kafka.broker import Broker
from tests.kafka.pipeline import FUNCTIONS
from tests.kafka.topics import Reader, create

pytestmark = [pytest.mark.slow, pytest.mark.broker, pytest.mark.timeout(180)]

MODULE = """\
kind: io.statefun.kafka.v1/egress
spec:
  id: kafka/out
  address: {address}
  deliverySemantic: {{type: exactly-once, transactionTimeout: 10 s}}
---
kind: io.statefun.kafka.v1/ingress
spec:
  id: kafka/in
  address: {address}
  startupPosition: {{type: earliest}}
  topics:
    - {{topic: full-in, valueType: kafka/text, targets: [kafka/counter]}}
---
kind: io.statefun.file.v1/ingress
spec:
  id: kafka/lines
  path: lines.jsonl
  format: json-lines
  key: id
  valueType: kafka/text
  targets: [kafka/counter]
"""
KEYS = 20
RECORDS = 12_000
TEXT = "x" * 4000
LIMIT, MEMORY = 16_000_000, 200_000
MOST_BEYOND = 4_000_000
"""Bytes: what is taken in already when the limit is met still goes into the outbox."""


class Scene:
    """A runtime that reads a file into Kafka."""

    def __init__(self, broker: Broker, directory: Path) -> None:
        (directory / "module.yaml").write_text(MODULE.format(address=broker.address))
        with (directory / "lines.jsonl").open("w") as lines:
            for number in range(RECORDS):
                lines.write(json.dumps({"id": f"full.{number % KEYS}", "number": number, "text": TEXT}) + "\n")
        self.runtime = Runtime(directory, str(directory / "module.yaml"), "--functions", FUNCTIONS)

    def start(self) -> None:
        limits = ("--outbox-limit", f"{LIMIT} B", "--outbox-memory", f"{MEMORY} B", "--high-water", "100")
        # However slow a commit is, what comes meanwhile is bounded.
        self.runtime.start("--application-id", "full", *limits, "--max-epoch", "500")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(get(self.runtime.admin_port, "/status")[1])
        return found

    def is_settled(self) -> bool:
        """Whether inputs wait for the egress and all that was taken in is done."""
        status = self.status()
        return bool(status["paused"]) and status["idle"]


@pytest.fixture
def scene(broker: Broker, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(broker, tmp_path)
    yield made
    made.runtime.kill()


def test_an_outbox_grows_to_its_limit_and_inputs_wait_until_the_broker_is_back(scene: Scene, broker: Broker) -> None:
    create(broker.address, "full-in", "full-out")
    broker.kill()
    try:
        scene.start()
        wait_until(scene.is_settled, "the pause")
        paused = scene.status()
    finally:
        broker.start()
    assert paused["paused"] == "too many records wait for kafka/out"
    egress = paused["egress"]["kafka/out"]
    assert LIMIT <= egress["waiting_bytes"] <= LIMIT + MOST_BEYOND
    assert egress["records"] == 0
    assert egress["connection"]["state"] == "trying"
    assert 0 < paused["ingress"]["kafka/lines"]["records"] < RECORDS
    reader = Reader(broker.address, "full-out")
    try:
        records = reader.read(RECORDS)
    finally:
        reader.close()
    found: defaultdict[str, list[int]] = defaultdict(list)
    for key, value in records:
        found[key].append(json.loads(value.partition(" ")[2])["number"])
    assert found == {f"full.{key}": list(range(key, RECORDS, KEYS)) for key in range(KEYS)}
    assert scene.status()["paused"] is None
    assert scene.runtime.stop() == 0
