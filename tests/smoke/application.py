"""The functions of the smoke test: they carry out commands, and notice messages that come out of order."""

from datetime import timedelta
from typing import Any

from statefun import (
    Context,
    IntType,
    LongType,
    Message,
    StatefulFunctions,
    StringType,
    ValueSpec,
    egress_message_builder,
    make_json_type,
    message_builder,
)
from statefun_runtime.conformance import commands
from tests.smoke import trees

MESSAGE = make_json_type("smoke/Message")
JSON = make_json_type("smoke/Json")
EGRESS = "smoke/records"
SPECS = [
    ValueSpec("messages", IntType),
    ValueSpec("digest", LongType),
    ValueSpec("modified", IntType),
    ValueSpec("roots", JSON),
    ValueSpec("seen", JSON),
    ValueSpec("sent", JSON),
    ValueSpec("violations", JSON),
]
local = StatefulFunctions()
remote = StatefulFunctions()


@local.bind("smoke/local", specs=SPECS)
@remote.bind("smoke/remote", specs=SPECS)
def instance(context: Context, message: Message) -> None:
    """Carry out the commands of a message."""
    order = order_of(message)
    storage = context.storage
    storage.messages = (storage.messages or 0) + 1
    storage.digest = ((storage.digest or 0) + order["id"]) % trees.MODULUS
    if "root" in order:
        storage.roots = [*(storage.roots or []), order["root"]]
    check_order(storage, order)
    records = 0
    for command in order["commands"]:
        if command["kind"] == "modify":
            storage.modified = (storage.modified or 0) + 1
        elif command["kind"] == "egress":
            text = trees.record(name_of(context), order, records)
            context.send_egress(egress_message_builder(EGRESS, text, StringType))
            records += 1
        else:
            carry_out(context, command)


def order_of(message: Message) -> commands.Message:
    order: commands.Message | None = message.as_type(MESSAGE)
    assert order is not None
    return order


def name_of(context: Context) -> str:
    return f"{context.address.typename}/{context.address.id}"


def check_order(storage: Any, order: commands.Message) -> None:
    """Note a message that is not the next one of its sender; from outside, one that is not later than all before."""
    if "number" not in order or "sender" not in order:
        return
    number, sender = order["number"], order["sender"]
    seen = storage.seen or {}
    last = seen.get(sender, -1)
    if number <= last or ("root" not in order and number != last + 1):
        storage.violations = [*(storage.violations or []), f"{sender} sent {number} after {last}"]
    storage.seen = seen | {sender: number}


def carry_out(context: Context, command: commands.Command) -> None:
    """Send, send after a while, or cancel."""
    if command["kind"] == "cancel":
        context.cancel_delayed_message(command["token"])
        return
    order = command["message"]
    if command["kind"] == "send":
        sent = context.storage.sent or {}
        number = sent.get(command["target"], -1) + 1
        context.storage.sent = sent | {command["target"]: number}
        order = commands.Message(id=order["id"], commands=order["commands"], sender=name_of(context), number=number)
    typename, _, target_id = command["target"].rpartition("/")
    message = message_builder(target_typename=typename, target_id=target_id, value=order, value_type=MESSAGE)
    if command["kind"] == "send":
        context.send(message)
    else:
        context.send_after(timedelta(milliseconds=command["delay"]), message, command["token"])
