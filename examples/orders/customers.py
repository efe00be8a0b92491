"""Customers who order, look at their order, and pay it, or dawdle, or forget it."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Literal, Self, TypeAlias

from examples.orders.app import NewOrder, Order, Status
from examples.orders.shop import Shop

ITEMS = ("socks", "scarf", "gloves", "hat", "mittens", "shawl", "beret", "cape")
PAY_WITHIN = 3.0
"""Seconds; short, so that reservations expire while the demo runs."""
THREADS = 16
LOOK_INTERVAL = 0.02
PATIENCE = 60.0
"""Seconds that a customer looks for his order."""

Habit: TypeAlias = Literal["pays", "dawdles", "forgets"]


class CustomerError(Exception):
    """A customer was treated wrongly; the text says how."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a customer is going to do.

    Attributes:
        number: The order's.
        order: What is wanted.
        habit: Whether he pays at once, as late as he may (so that the payment and the end of the reservation meet), or
            never.
        repeats: Whether everything is done twice, as by somebody who is not sure that it worked.
    """

    number: str
    order: NewOrder
    habit: Habit
    repeats: bool


def intents(count: int, random: Random) -> list[Intent]:
    """So many customers."""
    return [
        Intent(
            f"order-{number}",
            NewOrder(random.choice(ITEMS), random.randint(1, 3), PAY_WITHIN),
            random.choices(("pays", "dawdles", "forgets"), (75, 10, 15))[0],
            random.random() < 0.1,
        )
        for number in range(1, count + 1)
    ]


class Customers:
    """Serves all customers, some at a time, as a context manager that ends when they are done or have failed."""

    def __init__(self, shop: Shop, everybody: Sequence[Intent]) -> None:
        self.placed: list[str] = []
        """The numbers of the orders that are in Kafka."""
        self.paying: set[str] = set()
        """The numbers of those whose payments wait for an answer."""
        self.told: dict[str, Order] = {}
        """What those who paid were answered, by the number of the order."""
        self.waits: list[float] = []
        """How long each of them waited for it, in seconds."""
        self._shop = shop
        self._everybody = everybody
        self._pool = ThreadPoolExecutor(THREADS)
        self._done: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._done = [self._pool.submit(self._serve, intent) for intent in self._everybody]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def are_done(self) -> bool:
        """Whether all are. Raises what went wrong with one of them."""
        done = [future for future in self._done if future.done()]
        for future in done:
            future.result()
        return len(done) == len(self._done)

    def _serve(self, intent: Intent) -> None:
        for _ in range(1 + intent.repeats):
            self._shop.place(intent.number, intent.order)
        self.placed.append(intent.number)
        if intent.habit == "forgets":
            return
        self._look(intent.number)
        if intent.habit == "dawdles":
            time.sleep(PAY_WITHIN)
        answer = self._pay(intent.number)
        if intent.repeats and (again := self._pay(intent.number)) != answer:
            raise CustomerError(f"a payment was answered by {answer}, and when it was repeated by {again}")
        self.told[intent.number] = answer

    def _pay(self, number: str) -> Order:
        self.paying.add(number)
        asked = time.monotonic()
        answer = self._shop.pay(number, f"payment-of-{number}")
        self.waits.append(time.monotonic() - asked)
        self.paying.remove(number)
        return answer

    def _look(self, number: str) -> None:
        """Wait until the order has come through Kafka."""
        give_up = time.monotonic() + PATIENCE
        while self._shop.show(number).status is Status.UNKNOWN:
            if time.monotonic() > give_up:
                raise CustomerError(f"{number} was placed and is still unknown after {PATIENCE:.0f} s")
            time.sleep(LOOK_INTERVAL)
