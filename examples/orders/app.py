r"""A shop: an order reserves stock for a while, a payment keeps it, and every order has exactly one result.

    deliveries (Kafka) ---> shop/stock <----> shop/order <--- orders (Kafka)
                                               ^     \
                       show, pay (calls, HTTP) -'     `-----> results (Kafka, exactly once)

An order is an address of its own, named by its number, and so is the stock of an item. Messages between one order and
one item keep their sequence. Everything else may come in any sequence, so each function asks its state what to do.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from statefun import (
    BoolType,
    Context,
    Message,
    Reject,
    StatefulFunctions,
    Type,
    ValueSpec,
    kafka_egress_message,
    make_json_type,
    message_builder,
)

KEPT = timedelta(days=30)
"""An order that nothing happened to for so long is forgotten."""
LONGEST_RESERVATION = timedelta(days=1)
EXPIRY_TOKEN = "expiry"  # noqa: S105  (the name of a delayed message)

T = TypeVar("T")

functions = StatefulFunctions()


# ------------------------------------------------------------------------------------------------------------- messages


class Status(StrEnum):
    """`NEW` waits for the answer of the stock; `UNKNOWN` is told of an order that nobody placed."""

    UNKNOWN = "unknown"
    NEW = "new"
    RESERVED = "reserved"
    PAID = "paid"
    EXPIRED = "expired"
    SOLD_OUT = "sold out"


@dataclass(slots=True)
class NewOrder:
    """A record of the topic `orders`, whose key is the order's number; `pay_within` is in seconds."""

    item: str
    quantity: int
    pay_within: float = 900.0


@dataclass(slots=True)
class Quantity:
    """So many pieces: of a delivery (a record of the topic `deliveries`, whose key is the item) or of an order."""

    quantity: int


@dataclass(slots=True)
class Payment:
    """A payment, by the reference that the payment service gave it."""

    reference: str


@dataclass(slots=True)
class Order:
    """What is known of an order: its state, the answer to whoever asks for it, and in the end its result."""

    number: str
    status: Status
    item: str = ""
    quantity: int = 0
    pay_within: float = 0.0
    payment: str = ""


@dataclass(slots=True)
class Stock:
    """The pieces of an item, by where they are."""

    available: int = 0
    reserved: int = 0
    sold: int = 0


NEW_ORDER = make_json_type("shop/NewOrder", NewOrder)
DELIVERY = make_json_type("shop/Delivery", Quantity)
PAYMENT = make_json_type("shop/Payment", Payment)
ORDER = make_json_type("shop/Order", Order)
STOCK = make_json_type("shop/Stock", Stock)

RESERVE = make_json_type("shop/Reserve", Quantity)
SELL = make_json_type("shop/Sell", Quantity)
RELEASE = make_json_type("shop/Release", Quantity)
EXPIRY = make_json_type("shop/Expiry")


def value(message: Message, value_type: Type[T]) -> T:
    """The message's value. One that cannot be read never will be: with the policy of statefun.toml a dead letter."""
    try:
        found = message.as_type(value_type)
    except ValueError as error:
        raise Reject(f"{message.value_typename()} for {message.target_id}: {error}") from error
    if found is None:
        raise Reject(f"{message.value_typename()} for {message.target_id} has no value")
    return found


def reply(context: Context, answer: T, value_type: Type[T]) -> None:
    """Answer whoever asked, a function or a call over HTTP."""
    if context.caller is not None:
        context.send(message_builder(context.caller.typename, context.caller.id, value=answer, value_type=value_type))


# ---------------------------------------------------------------------------------------------------------------- order


@dataclass(slots=True)
class Payer:
    """A payment that came before the stock had answered, and the address that waits for the outcome, if any."""

    reference: str
    typename: str = ""
    id: str = ""


@dataclass(slots=True)
class Payers:
    """All of them, in the sequence in which they came."""

    waiting: list[Payer] = field(default_factory=list[Payer])


STATE = ValueSpec("order", ORDER, expire_after_write=KEPT)
PAYERS = ValueSpec("payers", make_json_type("shop/Payers", Payers))


@functions.bind("shop/order", specs=[STATE, PAYERS])
def order(context: Context, message: Message) -> None:
    """Take a new order, and all that concerns it later; any text asks for its state."""
    known = context.storage.get(STATE)
    if message.is_type(NEW_ORDER):
        if known is None:  # A number that comes again is the same order.
            place(context, value(message, NEW_ORDER))
    elif known is None:
        reply(context, Order(context.address.id, Status.UNKNOWN), ORDER)
    elif message.is_string():
        reply(context, known, ORDER)
    elif message.is_type(PAYMENT):
        pay(context, known, value(message, PAYMENT).reference)
    elif message.is_bool():
        decide(context, known, is_granted=value(message, BoolType))
    elif message.is_type(EXPIRY):
        expire(context, known)
    else:
        raise Reject(f"an order does not understand {message.value_typename()}")


def place(context: Context, new: NewOrder) -> None:
    """Ask the stock for the pieces."""
    if new.quantity < 1 or not 0 < new.pay_within <= LONGEST_RESERVATION.total_seconds():
        raise Reject(f"order {context.address.id} cannot be: {new}")
    placed = Order(context.address.id, Status.NEW, new.item, new.quantity, new.pay_within)
    context.storage.set(STATE, placed)
    tell_stock(context, placed, RESERVE)


def decide(context: Context, order: Order, *, is_granted: bool) -> None:
    """The stock has answered: wait for a payment, unless one waits already."""
    if order.status is not Status.NEW:
        raise Reject(f"order {order.number} is {order.status} and asked no stock")
    waiting = (context.storage.get(PAYERS) or Payers()).waiting
    context.storage.remove(PAYERS)
    if not is_granted:
        finish(context, order, Status.SOLD_OUT)
    elif waiting:
        sell(context, order, waiting[0].reference)
    else:
        order.status = Status.RESERVED
        context.storage.set(STATE, order)
        expiry = message_builder("shop/order", order.number, value={}, value_type=EXPIRY)
        context.send_after(timedelta(seconds=order.pay_within), expiry, EXPIRY_TOKEN)
    for payer in waiting:
        if payer.typename:
            context.send(message_builder(payer.typename, payer.id, value=order, value_type=ORDER))


def pay(context: Context, order: Order, reference: str) -> None:
    """Take a payment if the pieces are reserved. Whoever pays is told the order, which says whose payment counted."""
    if order.status is Status.NEW:
        payers = context.storage.get(PAYERS) or Payers()
        caller = context.caller
        payers.waiting.append(Payer(reference, caller.typename, caller.id) if caller else Payer(reference))
        context.storage.set(PAYERS, payers)
        return
    if order.status is Status.RESERVED:
        context.cancel_delayed_message(EXPIRY_TOKEN)
        sell(context, order, reference)
    reply(context, order, ORDER)


def sell(context: Context, order: Order, reference: str) -> None:
    """The pieces are the customer's."""
    order.payment = reference
    tell_stock(context, order, SELL)
    finish(context, order, Status.PAID)


def expire(context: Context, order: Order) -> None:
    """Give the pieces back, unless a payment came while this message was on its way and could not be cancelled."""
    if order.status is Status.RESERVED:
        tell_stock(context, order, RELEASE)
        finish(context, order, Status.EXPIRED)


def finish(context: Context, order: Order, status: Status) -> None:
    """The order has its result, and Kafka gets it."""
    order.status = status
    context.storage.set(STATE, order)
    context.send_egress(
        kafka_egress_message("shop/results", topic="results", key=order.number, value=order, value_type=ORDER)
    )


def tell_stock(context: Context, order: Order, what: Type[Quantity]) -> None:
    context.send(message_builder("shop/stock", order.item, value=Quantity(order.quantity), value_type=what))


# ---------------------------------------------------------------------------------------------------------------- stock


PIECES = ValueSpec("pieces", STOCK)


@functions.bind("shop/stock", specs=[PIECES])
def stock(context: Context, message: Message) -> None:
    """Keep the pieces of an item; any text asks for them."""
    pieces = context.storage.get(PIECES) or Stock()
    if message.is_string():
        reply(context, pieces, STOCK)
        return
    if message.is_type(DELIVERY):
        pieces.available += quantity(message, DELIVERY)
    elif message.is_type(RESERVE):
        wanted = quantity(message, RESERVE)
        is_granted = wanted <= pieces.available
        if is_granted:
            pieces.available -= wanted
            pieces.reserved += wanted
        reply(context, is_granted, BoolType)
    elif message.is_type(SELL):
        sold = quantity(message, SELL)
        pieces.reserved -= sold
        pieces.sold += sold
    elif message.is_type(RELEASE):
        released = quantity(message, RELEASE)
        pieces.reserved -= released
        pieces.available += released
    else:
        raise Reject(f"a stock does not understand {message.value_typename()}")
    context.storage.set(PIECES, pieces)


def quantity(message: Message, value_type: Type[Quantity]) -> int:
    """The pieces that a message is about, at least one."""
    found = value(message, value_type).quantity
    if found < 1:
        raise Reject(f"{message.value_typename()} of {found} pieces of {message.target_id}")
    return found
