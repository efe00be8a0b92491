"""The memory of a runtime while what it keeps grows: addresses, delayed messages, and messages that cannot be handled.

Usage: python -m benchmarks.memory [--full] [--addresses N] [--delayed N] [--queued N]

A real `statefun run` with its default settings reads a file: first a record for each address, which sets 100 bytes of
state, then records that send delayed messages, then records that send messages to a function whose endpoint is down.
Then it is killed and started again. PSS is that of all its processes; there is one.
"""

import argparse
import http.client
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.memory.application import AT_ONCE
from benchmarks.process import disk, pss, status
from tests.e2e.command import Runtime, wait_until

MODULE = """\
kind: io.statefun.playground.v1/ingress
spec: {{port: {port}}}
---
kind: io.statefun.file.v1/ingress
spec: {{id: memory/records, path: {records}, format: csv, key: id, targets: [memory/keeper]}}
---
kind: io.statefun.endpoints.v2/http
spec: {{functions: memory/down, urlPathTemplate: "http://127.0.0.1:1/"}}
"""
FULL = (5_000_000, 1_000_000, 1_000_000)
SMALL = (100_000, 50_000, 50_000)
ROWS = 10
"""Lines of the table for each kind of what grows."""


class Curve:
    """Prints a line whenever another tenth of something is there."""

    def __init__(self, runtime: Runtime, addresses: int, delayed: int, queued: int) -> None:
        self.runtime = runtime
        self.peak = 0.0
        self._wanted = (addresses, delayed, queued)
        self._printed = (-1, -1, -1)
        self._started = time.monotonic()

    def is_complete(self) -> bool:
        """Take a sample, print it if it tells anything new, and say whether all that was wanted is there."""
        now = status(self.runtime)
        functions = now["functions"]
        there = (
            min(functions.get("memory/keeper", {"invocations": 0})["invocations"], self._wanted[0]),
            now["delayed"],
            functions.get("memory/down", {"backlog": 0})["backlog"],
        )
        memory = pss(self.runtime.command.process.pid)
        self.peak = max(self.peak, memory)
        steps = tuple(ROWS * have // max(1, wanted) for have, wanted in zip(there, self._wanted, strict=True))
        if steps != self._printed:
            self._printed = steps
            seconds = time.monotonic() - self._started
            size = disk(self.runtime.data)
            line = f"{seconds:>7.0f}{there[0]:>12,}{there[1]:>12,}{there[2]:>12,}{memory:>10.0f}{size:>11.0f}"
            print(line, flush=True)
        return there == self._wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--full", action="store_true", help=f"{FULL[0]:,} addresses, {FULL[1]:,} delayed and queued")
    parser.add_argument("--addresses", type=int)
    parser.add_argument("--delayed", type=int, help=f"a multiple of {AT_ONCE}")
    parser.add_argument("--queued", type=int, help=f"a multiple of {AT_ONCE}")
    arguments = parser.parse_args()
    sizes = FULL if arguments.full else SMALL
    given = (arguments.addresses, arguments.delayed, arguments.queued)
    addresses, delayed, queued = (size if own is None else own for size, own in zip(sizes, given, strict=True))
    if delayed % AT_ONCE or queued % AT_ONCE or addresses < 1:
        sys.exit(f"There must be an address, and multiples of {AT_ONCE} messages.")
    with tempfile.TemporaryDirectory(prefix="statefun-memory-") as directory:
        runtime = make_runtime(Path(directory), addresses, delayed, queued)
        try:
            measure(runtime, Curve(runtime, addresses, delayed, queued))
        finally:
            runtime.kill()


def make_runtime(directory: Path, addresses: int, delayed: int, queued: int) -> Runtime:
    """A runtime with all that it will read, not yet started."""
    module, records = directory / "module.yaml", directory / "records.csv"
    with records.open("w", encoding="ascii") as file:
        file.writelines(rows(addresses, delayed, queued))
    runtime = Runtime(directory, str(module), "--functions", "benchmarks.memory.application:functions")
    module.write_text(MODULE.format(port=runtime.ingress_port, records=records), encoding="ascii")
    return runtime


def rows(addresses: int, delayed: int, queued: int) -> Iterator[str]:
    """The records: `id` is the address that handles one."""
    yield "id,what,addresses\n"
    yield from (f"{number},keep,\n" for number in range(addresses))
    for what, messages in (("delay", delayed), ("queue", queued)):
        yield from (f"{what}-{number},{what},{addresses}\n" for number in range(messages // AT_ONCE))


def measure(runtime: Runtime, curve: Curve) -> None:
    runtime.start()
    print(f"{'s':>7}{'addresses':>12}{'delayed':>12}{'queued':>12}{'PSS MiB':>10}{'disk MiB':>11}")
    while not curve.is_complete():
        time.sleep(0.25)
    print(f"peak PSS {curve.peak:.0f} MiB")
    runtime.kill()
    started = time.monotonic()
    runtime.start()
    ready = time.monotonic() - started
    call(runtime)
    print(
        f"after kill -9: ready in {ready:.2f} s, first call done and durable in {time.monotonic() - started:.2f} s, "
        f"PSS then {pss(runtime.command.process.pid):.0f} MiB"
    )


def call(runtime: Runtime) -> None:
    """Send a message to an address and wait until it was handled and is durable."""
    connection = http.client.HTTPConnection("127.0.0.1", runtime.ingress_port, timeout=30)
    connection.request("PUT", "/memory/keeper/0", json.dumps({"what": "keep"}))
    if connection.getresponse().status != http.HTTPStatus.ACCEPTED:
        sys.exit("The runtime does not take a message.")
    connection.close()

    wait_until(lambda: bool(status(runtime)["functions"]["memory/keeper"]["invocations"]), "the first call")


if __name__ == "__main__":
    main()
