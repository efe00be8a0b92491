"""The application and its customers, from the first delivery to the last result."""

import time
from collections import Counter
from pathlib import Path

from rich.console import Console

from examples.orders.app import Order
from examples.orders.check import Outcome
from examples.orders.customers import Customers, Intent
from examples.orders.report import Kill, Run
from examples.orders.shop import Results, Shop, create_topics
from examples.process import DemoError, RuntimeProcess, Status
from scripts.ports import free_port

HERE = Path(__file__).resolve().parent
ENOUGH = 0.7
"""Which part of the pieces that are ordered is delivered, so that some orders find nothing left."""
DELIVERIES = 5
"""Of each item."""
POLL = 0.1
STALLED = 60.0
"""Seconds without any result after which the demo gives up."""
LOCAL = """\
kind: io.statefun.playground.v1/ingress
spec:
  port: {port}
---
kind: io.statefun.kafka.v1/ingress
spec:
  id: shop/records
  address: {broker}
---
kind: io.statefun.kafka.v1/egress
spec:
  id: shop/results
  address: {broker}
"""
"""Laid over module.yaml: the same application with other addresses."""


class Scene:
    """One run of the shop; `open`, `serve` and `close` follow each other."""

    def __init__(self, directory: Path, broker: str, everybody: list[Intent], console: Console) -> None:
        port = free_port()
        local = directory / "local.yaml"
        local.write_text(LOCAL.format(port=port, broker=broker))
        self.runtime = RuntimeProcess(
            directory,
            str(HERE / "module.yaml"),
            str(local),
            *("--functions", "examples.orders.app:functions"),
            *("--config", str(HERE / "statefun.toml")),
        )
        self._broker = broker
        self._shop = Shop(broker, f"http://127.0.0.1:{port}")
        self._console = console
        self._customers = Customers(self._shop, everybody)
        self._everybody = everybody
        self._delivered: Counter[str] = Counter()
        self._results = 0
        self._kills: list[Kill] = []
        self._started = time.monotonic()

    def open(self) -> None:
        """Start the runtime and fill the stock."""
        create_topics(self._broker)
        self.runtime.start()
        self._say(f"the application runs; its log is {self.runtime.log}")
        ordered: Counter[str] = Counter()
        for intent in self._everybody:
            ordered[intent.order.item] += intent.order.quantity
        for item, quantity in ordered.items():
            delivery = max(1, int(ENOUGH * quantity / DELIVERIES))
            for _ in range(DELIVERIES):
                self._shop.deliver(item, delivery)
                self._delivered[item] += delivery
        self._say(
            f"{self._delivered.total():,} pieces of {len(self._delivered)} items are delivered; "
            f"{len(self._everybody):,} customers will want {ordered.total():,}"
        )

    def serve(self, kills: int) -> None:
        """Let all customers in, and kill the runtime at equal distances between the results."""
        results = Results(self._broker)
        self._started = last = time.monotonic()
        try:
            with self._customers as customers, self._console.status("…") as status:
                while not (customers.are_done() and self._results >= len(self._everybody)):
                    due = len(self._everybody) * (len(self._kills) + 1) // (kills + 1)
                    if len(self._kills) < kills and self._results >= due:
                        self._kill()
                    if results.poll(POLL) is not None:
                        last = time.monotonic()
                        self._results += 1 + sum(1 for _ in iter(lambda: results.poll(0), None))
                    self._look(last)
                    status.update(f"{len(customers.placed):,} orders, {self._results:,} results")
        finally:
            results.close()

    def close(self) -> Run:
        """Wait until nothing is under way, ask for the stock, and read all results anew."""
        seconds = time.monotonic() - self._started
        while not ((status := self._status()).idle and not status.delayed and not status.unwritten):
            if time.monotonic() - self._started - seconds > STALLED:
                raise DemoError(f"something is still under way after {STALLED:.0f} s: {status}")
            time.sleep(POLL)
        stocks = {item: self._shop.stock(item) for item in self._delivered}
        self.runtime.stop()
        outcome = Outcome(self._everybody, self._customers.told, self._all_results(), self._delivered, stocks)
        return Run(outcome, self._customers.waits, self._kills, seconds)

    def _kill(self) -> None:
        """Kill it, start it again, and wait until a call is answered."""
        placed, results, paying = len(self._customers.placed), self._results, len(self._customers.paying)
        self.runtime.kill()
        killed = time.monotonic()
        self.runtime.start()
        self._shop.stock(self._everybody[0].order.item)
        kill = Kill(placed, results, paying, time.monotonic() - killed)
        self._kills.append(kill)
        self._say(
            f"kill -9 after {placed:,} orders and {results:,} results, payments under way: {paying}; "
            f"calls are answered again after {kill.recovery:.2f} s",
            "red",
        )

    def _look(self, last: float) -> None:
        """Give up if nothing happens any more."""
        status = self._status()
        if time.monotonic() - last > STALLED:
            raise DemoError(f"no result came for {STALLED:.0f} s: {status}; log: {self.runtime.log}")

    def _status(self) -> Status:
        status = self.runtime.status()
        if status is None:
            raise DemoError(f"the runtime does not answer; log: {self.runtime.log}")
        return status

    def _all_results(self) -> list[Order]:
        results = Results(self._broker)
        try:
            return list(results.to_end())
        finally:
            results.close()

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, markup=False)
