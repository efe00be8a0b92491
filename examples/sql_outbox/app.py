"""A customer's orders are added up, and every order gets a receipt."""

from dataclasses import dataclass

from statefun import Context, IntType, Message, StatefulFunctions, ValueSpec, egress_message_builder, make_json_type

functions = StatefulFunctions()


@dataclass
class Order:
    item: str
    price: int


@dataclass
class Receipt:
    customer: str
    item: str
    total: int


ORDER = make_json_type("shop/Order", Order)
RECEIPT = make_json_type("shop/Receipt", Receipt)


@functions.bind("shop/customer", specs=[ValueSpec("total", IntType)])
def customer(context: Context, message: Message) -> None:
    """Add an order to the customer's total, and send a receipt."""
    order = message.as_type(ORDER)
    if order is None:
        raise ValueError("an order without a value")
    context.storage.total = (context.storage.total or 0) + order.price
    receipt = Receipt(context.address.id, order.item, context.storage.total)
    context.send_egress(egress_message_builder("shop/receipts", value=receipt, value_type=RECEIPT))
