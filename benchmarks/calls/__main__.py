"""How many calls over HTTP are answered in a second, and how late.

Usage: python -m benchmarks.calls [--seconds S] [--clients N ...] [--commit-interval TIME]

A real `statefun run` hosts the functions; the clients are in this process, each with a
connection of its own on which it makes one request after the other. Every reply is durable before it is given.
Messages that are only accepted are measured beside them. The last column is the processor time of the runtime for each
request; with all others it tells whether the machine had something else to do.
"""

import argparse
import itertools
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvloop

from benchmarks.calls.clients import measure
from benchmarks.process import cpu_seconds
from tests.e2e.command import Runtime

APPLICATION = "benchmarks.calls.application:functions"
ADDRESSES = 1000
BODY = b"hello"
KINDS = ("send", "call", "call with a key")
FUNCTIONS = ("echo", "counter")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5, help="how long each measurement lasts")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 64, 512], help="connections")
    parser.add_argument("--commit-interval", default="20 ms", help="the setting of the runtime")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="statefun-calls-") as directory:
        runtime = Runtime(Path(directory), APPLICATION).start("--commit-interval", arguments.commit_interval)
        try:
            print(f"{'':<28}{'clients':>8}{'answers/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}")
            for function, kind, clients in itertools.product(FUNCTIONS, KINDS, arguments.clients):
                makes = [requests(function, kind, f"{clients}-{number}") for number in range(clients)]
                status = b"202" if kind == "send" else b"200"
                used = cpu_seconds(runtime.command.process.pid)
                latencies, seconds = uvloop.run(measure(runtime.ingress_port, makes, status, arguments.seconds))
                used = cpu_seconds(runtime.command.process.pid) - used
                hundredths = statistics.quantiles(latencies, n=100)
                print(
                    f"{f'{kind}, {function}':<28}{clients:>8}{len(latencies) / seconds:>11.0f}"
                    f"{1000 * hundredths[49]:>9.1f}{1000 * hundredths[98]:>9.1f}"
                    f"{1e6 * used / len(latencies):>9.0f}",
                    flush=True,
                )
        finally:
            runtime.kill()


def requests(function: str, kind: str, client: str) -> Callable[[], bytes]:
    """A source of the requests of one client, each to another address and, if so asked, with a key of its own."""
    numbers = itertools.count(hash(client))
    suffix = "" if kind == "send" else "/call"
    has_key = kind == "call with a key"

    def make() -> bytes:
        number = next(numbers)
        key = f"Idempotency-Key: {function}-{client}-{number}\r\n" if has_key else ""
        head = f"POST /calls/{function}/{number % ADDRESSES}{suffix} HTTP/1.1\r\nHost: localhost\r\n{key}"
        return f"{head}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY

    return make


if __name__ == "__main__":
    main()
