"""The functions of the shop: stock, orders, payments, and what happens when these meet."""

from typing import Any

import pytest

from examples.orders.app import (
    DELIVERY,
    EXPIRY,
    EXPIRY_TOKEN,
    NEW_ORDER,
    ORDER,
    PAYERS,
    PAYMENT,
    PIECES,
    RELEASE,
    RESERVE,
    SELL,
    STATE,
    STOCK,
    NewOrder,
    Order,
    Payment,
    Quantity,
    Status,
    Stock,
    functions,
)
from statefun import Address, Message, Reject, message_builder
from statefun.protocol.egress_pb2 import KafkaProducerRecord
from statefun.testing import Application, Outcome, call

ORDER_1 = Address("shop/order", "1")
SOCKS = Address("shop/stock", "socks")
CLIENT = Address("io.statefun.http/request", "a call")
OTHER_CLIENT = Address("io.statefun.http/request", "another call")
NEW = Order("1", Status.NEW, "socks", 2, pay_within=60)
RESERVED = Order("1", Status.RESERVED, "socks", 2, pay_within=60)
PAID = Order("1", Status.PAID, "socks", 2, pay_within=60, payment="p1")


def to(target: Address, value: Any, value_type: Any) -> Message:
    return message_builder(target.typename, target.id, value=value, value_type=value_type)


def ask(target: Address) -> Message:
    return message_builder(target.typename, target.id, str_value="show")


def answer(*, granted: bool) -> Message:
    return message_builder("shop/order", "1", bool_value=granted)


def place(number: str = "1", quantity: int = 2) -> Message:
    return to(Address("shop/order", number), NewOrder("socks", quantity, pay_within=60), NEW_ORDER)


def payment(reference: str) -> Message:
    return to(ORDER_1, Payment(reference), PAYMENT)


def sent_to_stock(outcome: Outcome) -> list[tuple[str, Quantity | None]]:
    to_stock = [message for message in outcome.sent if message.target_typename == "shop/stock"]
    return [(message.value_typename(), message.as_type(SELL)) for message in to_stock]


def replies(outcome: Outcome, client: Address = CLIENT) -> list[Order | None]:
    address = (client.typename, client.id)
    return [sent.as_type(ORDER) for sent in outcome.sent if (sent.target_typename, sent.target_id) == address]


def shop(pieces: int) -> Application:
    application = Application(functions, egresses=["shop/results"])
    application.send(to(SOCKS, Quantity(pieces), DELIVERY))
    return application


def results(application: Application) -> list[tuple[str, Status]]:
    records = [
        KafkaProducerRecord.FromString(record.raw_value() or b"") for record in application.egress("shop/results")
    ]
    orders = [ORDER.deserialize(record.value_bytes) for record in records]
    return [(order.number, order.status) for order in orders]


def test_a_new_order_asks_the_stock() -> None:
    outcome = call(functions, place())
    assert outcome.state(STATE) == NEW
    assert sent_to_stock(outcome) == [("shop/Reserve", Quantity(2))]
    assert outcome.egress == []


def test_an_order_that_comes_again_is_the_same_order() -> None:
    outcome = call(functions, place(quantity=3), state={STATE: RESERVED})
    assert outcome.state(STATE) == RESERVED
    assert outcome.sent == []


@pytest.mark.parametrize(("quantity", "seconds"), [(0, 60), (1, 0), (1, 1e9), (1, float("nan"))])
def test_an_order_that_cannot_be_is_refused(quantity: int, seconds: float) -> None:
    with pytest.raises(Reject, match="order 1 cannot be"):
        call(functions, to(ORDER_1, NewOrder("socks", quantity, seconds), NEW_ORDER))


def test_a_record_that_is_no_order_is_refused_with_the_reason() -> None:
    with pytest.raises(Reject, match=r"shop/NewOrder for 1: .*lacks quantity"):
        call(functions, Message("shop/order", "1", ("shop/NewOrder", b'{"item": "socks"}')))


def test_a_reservation_is_waited_for_until_its_end() -> None:
    outcome = call(functions, answer(granted=True), state={STATE: NEW})
    assert outcome.state(STATE) == RESERVED
    [expiry] = outcome.delayed
    assert (expiry.delay.total_seconds(), expiry.token) == (60, EXPIRY_TOKEN)
    assert expiry.message.is_type(EXPIRY)


def test_a_payment_cancels_the_end_of_the_reservation_and_is_answered() -> None:
    outcome = call(functions, payment("p1"), state={STATE: RESERVED}, caller=CLIENT)
    assert outcome.state(STATE) == PAID
    assert outcome.cancelled == [EXPIRY_TOKEN]
    assert sent_to_stock(outcome) == [("shop/Sell", Quantity(2))]
    assert replies(outcome) == [PAID]
    assert len(outcome.egress) == 1


def test_a_second_payment_is_told_which_one_counted() -> None:
    outcome = call(functions, payment("p2"), state={STATE: PAID}, caller=CLIENT)
    assert replies(outcome) == [PAID]
    assert (sent_to_stock(outcome), outcome.egress) == ([], [])


def test_payments_that_come_before_the_stock_has_answered_wait_for_it() -> None:
    first = call(functions, payment("p1"), state={STATE: NEW}, caller=CLIENT)
    assert first.sent == []
    payers = first.state(PAYERS)
    second = call(functions, payment("p2"), state={STATE: NEW, PAYERS: payers}, caller=OTHER_CLIENT)
    payers = second.state(PAYERS)
    outcome = call(functions, answer(granted=True), state={STATE: NEW, PAYERS: payers}, caller=SOCKS)
    assert outcome.state(STATE) == PAID
    assert outcome.state(PAYERS) is None
    assert replies(outcome) == replies(outcome, OTHER_CLIENT) == [PAID]
    assert outcome.delayed == []


def test_an_expiry_that_could_not_be_cancelled_does_nothing() -> None:
    outcome = call(functions, to(ORDER_1, {}, EXPIRY), state={STATE: PAID}, caller=ORDER_1)
    assert outcome.state(STATE) == PAID
    assert (outcome.sent, outcome.egress) == ([], [])


def test_an_unknown_order_is_said_to_be_unknown_and_leaves_nothing_behind() -> None:
    for message in (ask(ORDER_1), payment("p1")):
        outcome = call(functions, message, caller=CLIENT)
        assert replies(outcome) == [Order("1", Status.UNKNOWN)]
        assert outcome.state(STATE) is None


def test_an_answer_that_nobody_asked_for_is_refused() -> None:
    with pytest.raises(Reject, match="order 1 is paid and asked no stock"):
        call(functions, answer(granted=True), state={STATE: PAID})


@pytest.mark.parametrize("target", [ORDER_1, SOCKS])
def test_a_message_of_another_type_is_refused(target: Address) -> None:
    with pytest.raises(Reject, match="does not understand shop/Stock"):
        call(functions, to(target, Stock(), STOCK), state={STATE: NEW} if target is ORDER_1 else {})


@pytest.mark.parametrize(
    ("value_type", "wanted"),
    [
        (DELIVERY, Stock(available=7, reserved=3, sold=1)),
        (RESERVE, Stock(available=3, reserved=5, sold=1)),
        (SELL, Stock(available=5, reserved=1, sold=3)),
        (RELEASE, Stock(available=7, reserved=1, sold=1)),
    ],
)
def test_pieces_move_but_none_is_lost(value_type: Any, wanted: Stock) -> None:
    before = Stock(available=5, reserved=3, sold=1)
    outcome = call(functions, to(SOCKS, Quantity(2), value_type), state={PIECES: before}, caller=ORDER_1)
    assert outcome.state(PIECES) == wanted


def test_more_than_there_is_is_not_reserved() -> None:
    outcome = call(functions, to(SOCKS, Quantity(2), RESERVE), state={PIECES: Stock(available=1)}, caller=ORDER_1)
    assert outcome.state(PIECES) == Stock(available=1)
    assert [sent.as_bool() for sent in outcome.sent] == [False]


def test_less_than_one_piece_is_refused() -> None:
    with pytest.raises(Reject, match="shop/Sell of -1 pieces of socks"):
        call(functions, to(SOCKS, Quantity(-1), SELL))


def test_pieces_of_an_unpaid_order_go_to_the_next_one() -> None:
    application = shop(pieces=2)
    application.send(place("1"))
    application.advance(seconds=30)
    application.send(place("2"))
    application.restart()
    application.advance(seconds=30)
    application.send(place("3"))
    assert results(application) == [("2", Status.SOLD_OUT), ("1", Status.EXPIRED)]
    assert application.state(SOCKS, PIECES) == Stock(available=0, reserved=2, sold=0)


def test_a_paid_order_stays_paid_when_its_time_is_over() -> None:
    application = shop(pieces=5)
    application.send(place("1"))
    application.send(payment("p1"))
    application.advance(minutes=5)
    assert results(application) == [("1", Status.PAID)]
    assert application.pending_delayed == 0
    assert application.state(SOCKS, PIECES) == Stock(available=3, reserved=0, sold=2)


def test_an_order_is_forgotten_after_a_month() -> None:
    application = shop(pieces=5)
    application.send(place("1"))
    application.advance(days=32)
    application.send(ask(ORDER_1))
    assert application.state(ORDER_1, STATE) is None
