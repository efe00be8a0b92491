"""The check at the end of the shop's demo finds whatever is lost, doubled or told wrongly."""

from dataclasses import replace

import pytest

from examples.orders.app import NewOrder, Order, Status, Stock
from examples.orders.check import CHECKS, Outcome
from examples.orders.customers import Intent

PAID = Order("1", Status.PAID, "socks", 2, 3.0, "p1")
EXPIRED = Order("2", Status.EXPIRED, "socks", 1, 3.0)
RIGHT = Outcome(
    intents=[
        Intent("1", NewOrder("socks", 2, 3.0), "pays", repeats=False),
        Intent("2", NewOrder("socks", 1, 3.0), "forgets", repeats=False),
    ],
    told={"1": PAID},
    results=[PAID, EXPIRED],
    delivered={"socks": 5},
    stocks={"socks": Stock(available=3, reserved=0, sold=2)},
)


def found(outcome: Outcome) -> list[str]:
    return [line for _, check in CHECKS for line in check(outcome)]


def test_nothing_is_found_where_all_agree() -> None:
    assert found(RIGHT) == []


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (replace(RIGHT, results=[PAID]), "2 has 0 results instead of one"),
        (replace(RIGHT, results=[PAID, EXPIRED, EXPIRED]), "2 has 2 results instead of one"),
        (replace(RIGHT, results=[PAID, EXPIRED, replace(EXPIRED, number="3")]), "3 has a result, but nobody placed it"),
        (replace(RIGHT, results=[PAID, replace(EXPIRED, quantity=9)]), "but its result is"),
        (replace(RIGHT, results=[PAID, replace(EXPIRED, status=Status.PAID)]), "whose customer forgets, ends as paid"),
        (replace(RIGHT, results=[PAID, replace(EXPIRED, status=Status.NEW)]), "ends as new"),
        (replace(RIGHT, told={}), "1 was paid without an answer"),
        (replace(RIGHT, told={"1": replace(PAID, status=Status.EXPIRED)}), "1: its customer was told"),
        (replace(RIGHT, stocks={"socks": Stock(available=4, sold=2)}), "of 5 socks 2 were paid, but the stock says"),
        (replace(RIGHT, stocks={"socks": Stock(available=2, reserved=1, sold=2)}), "the stock says"),
        (replace(RIGHT, stocks={"socks": Stock(available=2, sold=3)}), "the stock says"),
        (replace(RIGHT, delivered={"socks": 1}, stocks={"socks": Stock(available=-1, sold=2)}), "the stock says"),
    ],
)
def test_each_kind_of_contradiction_is_found(outcome: Outcome, text: str) -> None:
    assert text in "\n".join(found(outcome))
