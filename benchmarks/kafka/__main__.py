"""Records from Kafka through a function to Kafka, exactly once: how many a second, and how late each is and why.

Usage: python -m benchmarks.kafka [--records N] [--rate R] [--seconds S] [--repeats N]

A real Apache Kafka, a real `statefun run` with the function in its process, the writer and the reader, who reads what
is committed only, share the machine. The rate is that of bursts, from the first record written to the last one read.
Latencies count from the time at which a record was to be written, whether it was or not. They are split where a record
passes: called is when the function was called, appended when the broker took what it sent, in whole milliseconds.
"Kafka alone" is the same writer and reader on one topic, with nothing between them: the floor.
"""

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from benchmarks.kafka.application import OUT
from benchmarks.kafka.traffic import Arrival, Reader, Writer, create
from benchmarks.process import cpu_seconds
from scripts.kafka_broker import BrokerProcess, plain_broker
from scripts.ports import free_port
from tests.e2e.command import Runtime

APPLICATION = "benchmarks.kafka.application:functions"
IN, ALONE = "in", "alone"
LINGER_MS = 5
"""Of the writer of bursts, the default of its client; records at their times are sent at once."""
JAVA_OPTIONS = ("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC")
"""Without the limits of the tests' broker, whose compiler is to be quick to start."""
MODULE = """\
kind: io.statefun.kafka.v1/ingress
spec:
  id: bench/in
  address: {address}
  consumerGroupId: bench
  startupPosition: {{type: earliest}}
  topics:
    - {{topic: in, valueType: bench/value, targets: [bench/counter]}}
---
kind: io.statefun.kafka.v1/egress
spec:
  id: bench/out
  address: {address}
  deliverySemantic: {{type: exactly-once, transactionTimeout: 30 s}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=200_000, help="in a burst")
    parser.add_argument("--rate", type=float, default=1000, help="records a second while latencies are measured")
    parser.add_argument("--seconds", type=float, default=8, help="how long latencies are measured")
    parser.add_argument("--repeats", type=int, default=3, help="how often each is measured")
    parser.add_argument("--commit-interval", help="the setting of the runtime, instead of its default")
    arguments = parser.parse_args()
    settings = () if arguments.commit_interval is None else ("--commit-interval", arguments.commit_interval)
    with running(*settings) as (broker, runtime, address):
        measure_all(broker, runtime, address, arguments)


@contextmanager
def running(*settings: str) -> Generator[tuple[BrokerProcess, Runtime, str]]:
    """A broker with its address, and a runtime with these flags between two of its topics."""
    with tempfile.TemporaryDirectory(prefix="statefun-kafka-") as directory:
        port = free_port()
        broker = plain_broker(Path(directory), port, JAVA_OPTIONS)
        address = f"127.0.0.1:{port}"
        module = Path(directory) / "module.yaml"
        module.write_text(MODULE.format(address=address), encoding="utf-8")
        runtime = Runtime(Path(directory), str(module), "--functions", APPLICATION)
        try:
            broker.start()
            create(address, IN, OUT, ALONE)
            yield broker, runtime.start(*settings), address
        finally:
            runtime.kill()
            broker.kill()


def measure_all(broker: BrokerProcess, runtime: Runtime, address: str, arguments: argparse.Namespace) -> None:
    """Measure and print both, after a burst and some seconds that warm everything up."""
    writer, alone, bursts = Writer(address, IN, 0), Writer(address, ALONE, 0), Writer(address, IN, LINGER_MS)
    reader, alone_reader = Reader(address, OUT), Reader(address, ALONE)
    count = int(arguments.rate * arguments.seconds)
    through(reader, lambda: bursts.write_burst(arguments.records), arguments.records)
    through(reader, lambda: writer.write_at(arguments.rate, count // 4), count // 4)
    for _ in range(arguments.repeats):
        print_burst(arguments.records, broker, runtime, bursts, reader)
    print(f"{'ms, at ' + format(arguments.rate, '.0f') + '/s':<36}{'p50':>8}{'p99':>8}{'most':>8}")
    for _ in range(arguments.repeats):
        through(alone_reader, lambda: alone.write_at(arguments.rate, count), count)
        found = through(alone_reader, lambda: alone.write_at(arguments.rate, count), count)
        print_latencies("Kafka alone", [each.at - times(each)[-1] for each in found])
        used = cpu_seconds(runtime.command.process.pid), cpu_seconds(broker.pid)
        found = through(reader, lambda: writer.write_at(arguments.rate, count), count)
        print_budget(found)
        now = cpu_seconds(runtime.command.process.pid), cpu_seconds(broker.pid)
        runtime_us, broker_us = (1e6 * (after - before) / count for before, after in zip(used, now, strict=True))
        print(f"  CPU us a record: runtime {runtime_us:.0f}, broker {broker_us:.0f}", flush=True)


def through(reader: Reader, write: Callable[[], None], count: int) -> list[Arrival]:
    """What comes out while records are written."""
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        found = reader.read(count)
        writing.result()
    return found


def print_burst(count: int, broker: BrokerProcess, runtime: Runtime, writer: Writer, reader: Reader) -> None:
    """A burst: the rate, and the processor time of each process."""
    pids = {"runtime": runtime.command.process.pid, "broker": broker.pid}
    used = {name: cpu_seconds(pid) for name, pid in pids.items()}
    own, started = time.process_time(), time.monotonic()
    through(reader, lambda: writer.write_burst(count), count)
    seconds = time.monotonic() - started
    costs = {name: cpu_seconds(pid) - used[name] for name, pid in pids.items()}
    costs["writer and reader"] = time.process_time() - own
    parts = ", ".join(f"{name} {1e6 * cost / count:.1f}" for name, cost in costs.items())
    print(f"burst of {count}: {count / seconds:.0f} records/s; CPU us a record: {parts}", flush=True)


def times(arrival: Arrival) -> list[float]:
    """The times in a value, the newest first: of the function's call, if it passed one, and when it was due."""
    return [float(each) for each in arrival.value.split()[:-1]]


def print_budget(found: Sequence[Arrival]) -> None:
    """Where the time of a record goes."""
    rows = [(due, called, each.appended / 1000, each.at) for each in found for called, due in [times(each)]]
    print_latencies("through the function, due to read", [read - due for due, _, _, read in rows])
    print_latencies("  due to called", [called - due for due, called, _, _ in rows])
    print_latencies("  called to appended", [appended - called for _, called, appended, _ in rows])
    print_latencies("  appended to read", [read - appended for _, _, appended, read in rows])
    sizes = Counter(appended for _, _, appended, _ in rows)
    print(f"  {len(sizes)} different times of appending in {rows[-1][3] - rows[0][3]:.1f} s")


def print_latencies(what: str, seconds: Sequence[float]) -> None:
    """A line of the table."""
    hundredths = statistics.quantiles(seconds, n=100)
    print(
        f"{what:<36}{1000 * hundredths[49]:>8.1f}{1000 * hundredths[98]:>8.1f}{1000 * max(seconds):>8.1f}", flush=True
    )


if __name__ == "__main__":
    main()
