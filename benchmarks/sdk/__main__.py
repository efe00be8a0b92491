"""The handler beside the existing SDKs, at 1, 10 and 100 messages a request.

Usage: python -m benchmarks.sdk [--rounds N] [--seconds S] [--json FILE]

The SDKs take turns in processes of their own, so that what else the machine does hits them alike: trust the
ratios, and on a busy machine the minima. Time is the process's own (the handler only computes), so waiting for a core
does not count.
"""

import argparse
import base64
import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from scripts.cached_environment import InstallationError, cached_environment
from statefun.protocol.request_reply_pb2 import FromFunction, ToFunction
from statefun.protocol.types_pb2 import IntWrapper, StringWrapper

HERE = Path(__file__).resolve().parent
BATCHES = (1, 10, 100)
PEERS = {
    "flink-statefun 3.5.0": ("flink-statefun==3.5.0", "protobuf==7.36.2"),
    "apache-flink-statefun 3.3.0": ("apache-flink-statefun==3.3.0",),
}
OURS = "statefun"


class Worker:
    """A process that measures one SDK."""

    def __init__(self, name: str, python: str | Path) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [python, HERE / "worker.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={}
        )
        self.protobuf = self.read()

    def read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"The process of {self.name} ended.")
        return line.strip()

    def measure(self, request: bytes, seconds: float) -> tuple[bytes, float]:
        """The reply, and the seconds of one call."""
        assert self.process.stdin is not None
        task = {"request": base64.b64encode(request).decode(), "seconds": seconds}
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.read())
        return base64.b64decode(answer["reply"]), answer["seconds"]

    def stop(self) -> None:
        self.process.communicate()


@dataclass(frozen=True, slots=True)
class Row:
    """What one SDK took at one size of batch, in microseconds of one invocation, a figure a round."""

    batch: int
    sdk: str
    protobuf: str
    microseconds: list[float] = field(default_factory=list)

    def summary(self) -> tuple[float, float, float]:
        """Minimum, median, maximum."""
        return min(self.microseconds), statistics.median(self.microseconds), max(self.microseconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25, help="how often each SDK is measured at each size")
    parser.add_argument("--seconds", type=float, default=0.06, help="how long a measurement lasts at least")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    arguments = parser.parse_args()
    workers, missing = start_workers()
    rows = [row for batch in BATCHES for row in measure(workers, batch, arguments.rounds, arguments.seconds)]
    for worker in workers:
        worker.stop()
    print(f"CPU us per invocation, Python {platform.python_version()}, {arguments.rounds} rounds\n")
    print("\n".join([*table(rows), *missing]))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures(rows, missing), indent=1) + "\n", encoding="utf-8")


def start_workers() -> tuple[list[Worker], list[str]]:
    """A worker for each SDK that can be had, ours first, and a line for each that cannot."""
    workers, missing = [Worker(OURS, sys.executable)], []
    for name, requirements in PEERS.items():
        try:
            workers.append(Worker(name, cached_environment(requirements[0].replace("==", "-"), requirements)))
        except InstallationError as error:
            missing.append(f"{name}: cannot be installed on this Python: {str(error).splitlines()[-1]}")
    return workers, missing


def measure(workers: Sequence[Worker], batch: int, rounds: int, seconds: float) -> list[Row]:
    """Measure all in turn, after their replies were found equal."""
    request = request_of(batch)
    replies = [FromFunction.FromString(worker.measure(request, seconds / 3)[0]) for worker in workers]
    for worker, reply in zip(workers, replies, strict=True):
        if reply != replies[0]:
            sys.exit(f"{worker.name} answers differently:\n{reply}\nbut {workers[0].name}:\n{replies[0]}")
    rows = [Row(batch, worker.name, worker.protobuf) for worker in workers]
    for _ in range(rounds):
        for worker, row in zip(workers, rows, strict=True):
            row.microseconds.append(worker.measure(request, seconds)[1] / batch * 1e6)
    return rows


def request_of(batch: int) -> bytes:
    """A request to the greeter with `batch` messages."""
    request = ToFunction()
    target = request.invocation.target
    target.namespace, target.type, target.id = "bench", "greeter", "Ada"
    seen = request.invocation.state.add(state_name="seen").state_value
    seen.typename, seen.has_value, seen.value = "io.statefun.types/int", True, IntWrapper(value=41).SerializeToString()
    for number in range(batch):
        argument = request.invocation.invocations.add().argument
        argument.typename, argument.has_value = "io.statefun.types/string", True
        argument.value = StringWrapper(value=f"visitor {number}").SerializeToString()
    return request.SerializeToString()


def ratios(row: Row, rows: Sequence[Row]) -> list[float]:
    """How many times ours a peer took, a ratio for each round."""
    pairs = zip(row.microseconds, ours(row.batch, rows).microseconds, strict=True)
    return [theirs / our for theirs, our in pairs]


def ours(batch: int, rows: Sequence[Row]) -> Row:
    """The row of our SDK at a size of batch."""
    return next(row for row in rows if row.batch == batch and row.sdk == OURS)


def table(rows: Sequence[Row]) -> list[str]:
    head = f"{'batch':>5}  {'SDK':<28}{'protobuf':<16}{'min':>7}{'median':>8}{'max':>8}"
    lines = [f"{head}   times ours: median of pairs (min - max), of minima"]
    for row in rows:
        low, middle, high = row.summary()
        line = f"{row.batch:>5}  {row.sdk:<28}{row.protobuf:<16}{low:>7.1f}{middle:>8.1f}{high:>8.1f}"
        if row.sdk != OURS:
            found = ratios(row, rows)
            of_minima = low / min(ours(row.batch, rows).microseconds)
            line += f"   {statistics.median(found):.2f} ({min(found):.2f} - {max(found):.2f}), {of_minima:.2f}"
        lines.append(line)
    return lines


def figures(rows: Sequence[Row], missing: Sequence[str]) -> dict[str, object]:
    """All that was measured, for a file."""
    measured = [{**asdict(row), "times_ours": [] if row.sdk == OURS else ratios(row, rows)} for row in rows]
    return {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "rows": measured,
        "missing": list(missing),
    }


if __name__ == "__main__":
    main()
