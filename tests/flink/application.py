"""Accounts between two Kafka topics: state, sends, delayed messages and their cancellation.

Everything that is told is the same in whatever order messages of different accounts meet.
"""

from datetime import timedelta
from typing import Any

from statefun import (
    Context,
    IntType,
    Message,
    StatefulFunctions,
    StringType,
    ValueSpec,
    kafka_egress_message,
    make_json_type,
    message_builder,
)

COMMAND = make_json_type("bank/Command")
functions = StatefulFunctions()


@functions.bind(
    "bank/account",
    specs=[ValueSpec("balance", IntType), ValueSpec("commands", IntType), ValueSpec("fired", StringType)],
)
def account(context: Context, message: Message) -> None:
    """Do a command, and tell its number among those that came from outside."""
    command = message.as_type(COMMAND) or {}
    storage = context.storage
    match command["do"]:
        case "add":
            storage.balance = (storage.balance or 0) + command["amount"]
        case "transfer":
            storage.balance = (storage.balance or 0) - command["amount"]
            context.send(built(command["to"], {"do": "receive", "amount": command["amount"]}))
        case "receive":
            storage.balance = (storage.balance or 0) + command["amount"]
            return
        case "later":
            again = built(context.address.id, {"do": "fire", "name": command["name"]})
            context.send_after(timedelta(milliseconds=command["after"]), again, token(context, command))
        case "cancel":
            context.cancel_delayed_message(token(context, command))
        case "fire":
            storage.fired = " ".join(sorted([*(storage.fired or "").split(), command["name"]]))
            return
        case "report":
            text = f"balance {storage.balance} commands {storage.commands} fired {storage.fired}"
            tell(context, text)
            return
    storage.commands = (storage.commands or 0) + 1
    tell(context, f"{storage.commands} {command['do']}")


def token(context: Context, command: dict[str, Any]) -> str:
    """The name of a delayed message, another one for each account: on Flink tokens are those of a whole job."""
    return f"{context.address.id} {command['name']}"


def built(to: str, command: dict[str, Any]) -> Message:
    return message_builder("bank/account", to, value=command, value_type=COMMAND)


def tell(context: Context, text: str) -> None:
    context.send_egress(
        kafka_egress_message("bank/out", topic=context.address.id.partition(".")[0], value=text, key=context.address.id)
    )
