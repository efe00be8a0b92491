"""What must hold when all is done, whatever was killed on the way."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from examples.orders.app import Order, Status, Stock
from examples.orders.customers import Intent

FINAL = frozenset({Status.PAID, Status.EXPIRED, Status.SOLD_OUT})


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that can be seen from outside.

    Attributes:
        intents: What the customers did.
        told: What those who paid were answered over HTTP, by number.
        results: All records of the topic `results`.
        delivered: The pieces that were delivered, by item.
        stocks: What the stock says in the end, by item.
    """

    intents: Sequence[Intent]
    told: Mapping[str, Order]
    results: Sequence[Order]
    delivered: Mapping[str, int]
    stocks: Mapping[str, Stock]


def wrong_results(outcome: Outcome) -> Iterator[str]:
    """Each order has exactly one result, which fits to what its customer did."""
    found: defaultdict[str, list[Order]] = defaultdict(list)
    for result in outcome.results:
        found[result.number].append(result)
    intents = {intent.number: intent for intent in outcome.intents}
    for number in found.keys() - intents.keys():
        yield f"{number} has a result, but nobody placed it"
    for number, intent in intents.items():
        results = found[number]
        if len(results) != 1:
            yield f"{number} has {len(results)} results instead of one"
        for result in results:
            if (result.item, result.quantity) != (intent.order.item, intent.order.quantity):
                yield f"{number} is {intent.order}, but its result is {result}"
            if result.status not in FINAL or (intent.habit == "forgets" and result.status is Status.PAID):
                yield f"{number}, whose customer {intent.habit}, ends as {result.status}"


def wrong_answers(outcome: Outcome) -> Iterator[str]:
    """What a customer was told over HTTP is what Kafka was told."""
    results = {result.number: result for result in outcome.results}
    for intent in outcome.intents:
        told, result = outcome.told.get(intent.number), results.get(intent.number)
        if intent.habit != "forgets" and told is None:
            yield f"{intent.number} was paid without an answer"
        if told is not None and result is not None and told != result:
            yield f"{intent.number}: its customer was told {told}, Kafka {result}"


def wrong_stocks(outcome: Outcome) -> Iterator[str]:
    """No piece is lost, made or left reserved, and the sold ones are those that were paid."""
    paid: defaultdict[str, int] = defaultdict(int)
    for result in outcome.results:
        if result.status is Status.PAID:
            paid[result.item] += result.quantity
    for item, delivered in outcome.delivered.items():
        stock = outcome.stocks[item]
        wanted = Stock(available=delivered - paid[item], reserved=0, sold=paid[item])
        if stock != wanted or stock.available < 0:
            yield f"of {delivered} {item} {paid[item]} were paid, but the stock says {stock}"


Check: TypeAlias = Callable[[Outcome], Iterator[str]]
CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("every order has exactly one result, for a reader of committed records", wrong_results),
    ("everybody who paid was told over HTTP what Kafka was told", wrong_answers),
    ("no piece is lost or made: delivered = sold + left, and sold are those that were paid", wrong_stocks),
)
"""What must hold, and what yields a line for each place where it does not."""
