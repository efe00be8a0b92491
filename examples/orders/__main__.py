"""What customers and suppliers of the shop do, a command for each: `python -m examples.orders --help`.

What a command finds out is printed as JSON, one value a line.
"""

import argparse
import sys
from typing import TypeVar

from examples.orders.app import ORDER, STOCK, NewOrder
from examples.orders.shop import BROKER, URL, Results, Shop, ShopError, create_topics
from statefun import Type
from statefun.client import ClientError

T = TypeVar("T")


def main() -> int:
    options = parse_options()
    try:
        run(options)
    except (ShopError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def parse_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="What customers and suppliers of the shop do.")
    parser.add_argument("--broker", default=BROKER, help=f"Kafka (default: {BROKER})")
    parser.add_argument("--url", default=URL, help=f"the application's HTTP ingress (default: {URL})")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("topics", help="make the topics")
    deliver = commands.add_parser("deliver", help="bring pieces into the stock")
    deliver.add_argument("item")
    deliver.add_argument("quantity", type=int)
    order = commands.add_parser("order", help="place an order")
    order.add_argument("number")
    order.add_argument("item")
    order.add_argument("quantity", type=int)
    order.add_argument("--pay-within", type=float, default=900.0, metavar="SECONDS")
    commands.add_parser("show", help="ask for an order").add_argument("number")
    pay = commands.add_parser("pay", help="pay an order; say the same reference again to ask what came of it")
    pay.add_argument("number")
    pay.add_argument("reference")
    commands.add_parser("stock", help="ask for the pieces of an item").add_argument("item")
    commands.add_parser("results", help="follow the results until Ctrl-C")
    return parser.parse_args()


def run(options: argparse.Namespace) -> None:
    """Do what the command says. Raises ShopError and ClientError."""
    match options.command:
        case "topics":
            create_topics(options.broker)
        case "results":
            follow(options.broker)
        case command:
            visit(Shop(options.broker, options.url), command, options)


def visit(shop: Shop, command: str, options: argparse.Namespace) -> None:
    match command:
        case "deliver":
            shop.deliver(options.item, options.quantity)
        case "order":
            shop.place(options.number, NewOrder(options.item, options.quantity, options.pay_within))
        case "show":
            print_json(shop.show(options.number), ORDER)
        case "pay":
            print_json(shop.pay(options.number, options.reference), ORDER)
        case _:
            print_json(shop.stock(options.item), STOCK)


def follow(broker: str) -> None:
    results = Results(broker)
    try:
        while True:
            if (result := results.poll(1.0)) is not None:
                print_json(result, ORDER)
    finally:
        results.close()


def print_json(value: T, value_type: Type[T]) -> None:
    print(value_type.serialize(value).decode(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
