"""An application between two streams, in a process that is killed again and again."""

import json
import os
import signal
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from random import Random

from statefun_runtime.egress.kinesis_record import decode_kinesis_record
from statefun_runtime.interfaces import Table
from statefun_runtime.store import rows
from statefun_runtime.store.rocksdb import RocksDBStore
from tests.e2e.command import STATEFUN, Runtime
from tests.e2e.trap import VARIABLE
from tests.kinesis.application import OUT
from tests.kinesis.server import Streams, access
from tests.kinesis.signalled import POINTS

IN = "kills-in"
FUNCTIONS = "tests.kinesis.application:functions"
LONGEST_LIFE = 12.0
"""Seconds, of a process that does not come to its point."""
SETTINGS = ("--lock-timeout", "20 s", "--retry-max", "200 ms")


class Pipeline:
    """Two streams and `statefun run` between them."""

    def __init__(self, streams: Streams, directory: Path) -> None:
        self.kills: Counter[str] = Counter()
        self.waiting: Counter[tuple[str, str]] = Counter()
        """(key, value) of what waited in the outbox, by after how many kills it did."""
        streams.create(IN)
        streams.create(OUT, 2)
        file = directory / "module.yaml"
        file.write_text("\n---\n".join(json.dumps(document) for document in documents(streams.url)))
        self.runtime = Runtime(directory, str(file), "--functions", FUNCTIONS)

    def launch(self, point: str = "", passes: int = 0) -> None:
        """Start the process without waiting. If a point is named, it kills itself there."""
        self.runtime.program = (sys.executable, "-m", "tests.kinesis.signalled") if point else (STATEFUN,)
        self.runtime.environment = {**os.environ, VARIABLE: f"{point} {passes} {int(signal.SIGKILL)}"}
        self.runtime.launch(*SETTINGS)

    def live(self, fate: str, random: Random) -> None:
        """A life of the process, from its start to its death."""
        if fate == "killed at random":
            self.launch()
            self.runtime.command.wait_until_ready()
            time.sleep(random.uniform(0, 1.5))  # what happens meanwhile is not known
        else:
            self.launch(random.choice(POINTS), random.randrange(40))
            self._wait_for_death()
        code = self.runtime.command.process.poll()
        assert code in {None, -signal.SIGKILL}, f"it ended by itself with {code}: {self.log_tail()}"
        self.runtime.kill()
        self.kills[fate] += 1
        self.waiting.update(waiting(self.runtime.data))

    def log_tail(self) -> str:
        """The end of what the processes logged."""
        return "\n".join(self.runtime.command.log.read_text().splitlines()[-30:])

    def _wait_for_death(self) -> None:
        give_up = time.monotonic() + LONGEST_LIFE
        while time.monotonic() < give_up and self.runtime.command.process.poll() is None:
            time.sleep(0.01)


def documents(url: str) -> list[dict[str, object]]:
    stream = {"stream": IN, "valueType": "kinesis/text", "targets": ["kinesis/counter"]}
    reading = {"id": "kinesis/in", "startupPosition": {"type": "earliest"}, "streams": [stream], **access(url)}
    return [
        {"kind": "io.statefun.kinesis.v1/ingress", "spec": reading},
        {"kind": "io.statefun.kinesis.v1/egress", "spec": {"id": "kinesis/out", **access(url)}},
    ]


def waiting(data: Path) -> set[tuple[str, str]]:
    """(key, value) of the records in the outbox of a dead runtime: those that are not known to be out."""
    if not data.exists():
        return set()
    with closing(RocksDBStore(data, read_only=True)) as store:
        payloads = [payload for _, row in store.scan(Table.OUTBOX) for payload in rows.read_outbox(0, row).records]
    records = [decode_kinesis_record(payload)[1] for payload in payloads]
    return {(record.partition_key, record.data.decode()) for record in records}
