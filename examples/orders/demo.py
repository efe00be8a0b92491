"""A shop on a real Kafka, whose runtime is killed with SIGKILL while orders flow; in the end every piece is counted.

Starts an Apache Kafka of its own and the application, delivers pieces and lets customers order and pay, kills the
runtime on the way, and compares what the stock, the customers and a reader of the results were told. Exits with 0 only
if all agree.
"""

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from rich.console import Console

from examples.orders.customers import CustomerError, intents
from examples.orders.report import Run, report
from examples.orders.scene import Scene
from examples.orders.shop import ShopError
from examples.process import ROOT, DemoError, alone_in
from scripts.kafka_archives import VERSION, ArchivesError
from scripts.kafka_broker import BrokerError, plain_broker
from scripts.ports import free_port
from statefun.client import ClientError

CACHE = ROOT / ".cache" / "orders"


def main() -> int:
    """Run the demo; return its exit code."""
    options = parse_options()
    directory = options.directory / "run"
    console = Console(highlight=False, soft_wrap=True)
    # A demo that is told to end must not leave processes behind, however it is told.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with alone_in(directory):
            return report(run(directory, options, console), console)
    except (ArchivesError, BrokerError, ClientError, CustomerError, DemoError, ShopError) as error:
        console.print(f"failed: {error}", style="bold red", markup=False)
        console.print(f"the logs are in {directory}", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("stopped")
        return 130


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="400 orders and 3 kills instead of 2,000 and 6")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="makes the same customers again")
    parser.add_argument("--directory", type=Path, default=CACHE, help="where all files go (default: .cache/orders)")
    options = parser.parse_args()
    options.directory = options.directory.absolute()
    options.orders, options.kills = (400, 3) if options.fast else (2000, 6)
    return options


def run(directory: Path, options: argparse.Namespace, console: Console) -> Run:
    """Everything from an empty broker to what came out."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    everybody = intents(options.orders, Random(options.seed))  # noqa: S311  (customers, not secrets)
    with kafka(directory, console) as broker:
        scene = Scene(directory, broker, everybody, console)
        try:
            scene.open()
            scene.serve(options.kills)
            return scene.close()
        finally:
            scene.runtime.kill()


@contextmanager
def kafka(directory: Path, console: Console) -> Iterator[str]:
    """A broker while the block runs; the value is its address."""
    started = time.monotonic()
    port = free_port()
    broker = plain_broker(directory, port)
    try:
        broker.start()
        console.print(f"Apache Kafka {VERSION} on port {port}, started in {time.monotonic() - started:.1f} s")
        yield f"127.0.0.1:{port}"
    finally:
        broker.kill()


if __name__ == "__main__":
    sys.exit(main())
