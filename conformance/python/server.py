"""The command interpreter on Python: for this SDK and for the existing one; ../README.md says what the commands do."""

import sys
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from statefun import (
    BoolType,
    Context,
    DoubleType,
    FloatType,
    IntType,
    LongType,
    Message,
    RequestReplyHandler,
    StatefulFunctions,
    StringType,
    ValueSpec,
    egress_message_builder,
    kafka_egress_message,
    kinesis_egress_message,
    make_json_type,
    message_builder,
)

MODULUS = 2**30
MESSAGE = make_json_type("conformance/Message")
VALUES = {
    "bool": BoolType,
    "int": IntType,
    "long": LongType,
    "float": FloatType,
    "double": DoubleType,
    "string": StringType,
    "json": make_json_type("conformance/Count"),
}
ENCODERS: dict[str, Any] = {"bool": bool, "int": int, "long": int, "float": float, "double": float, "string": str}
SPECS = [
    ValueSpec("journal", make_json_type("conformance/Journal")),
    ValueSpec("scratch", StringType),
    *(ValueSpec(name, cast(Any, value_type)) for name, value_type in VALUES.items()),
]


class Instance:
    """Carries out the commands of one message."""

    def __init__(self, context: Context, order: dict[str, Any], failed: set[int]) -> None:
        self._context = context
        self._storage: Any = context.storage
        self._order = order
        self._failed = failed
        self._name = f"{context.address.typename}/{context.address.id}"
        self._records = 0
        self._journal: dict[str, Any] = self._storage.journal or {
            "messages": 0,
            "digest": 0,
            "sent": {},
            "seen": {},
            "totals": {},
            "roots": [],
            "violations": [],
        }

    def run(self) -> None:
        self._note_arrival()
        for command in self._order["commands"]:
            getattr(self, command["kind"])(command)
        self._storage.journal = self._journal

    def _note_arrival(self) -> None:
        journal, order = self._journal, self._order
        journal["messages"] += 1
        journal["digest"] = (journal["digest"] + order["id"]) % MODULUS
        if "root" in order:
            journal["roots"].append(order["root"])
        if "number" not in order:
            return
        sender, number = order["sender"], order["number"]
        last = journal["seen"].get(sender, -1)
        if number <= last or ("root" not in order and number != last + 1):
            self._violation(f"{sender} sent {number} after {last}")
        journal["seen"][sender] = number

    def add(self, command: dict[str, Any]) -> None:
        name = command["state"]
        value = (self._read(name) or 0) + int(command["amount"])
        if name == "bool":
            value %= 2
        self._write(name, value)
        self._journal["totals"][name] = value

    def replace(self, command: dict[str, Any]) -> None:
        name = command["state"]
        value = self._read(name)
        delattr(self._storage, name)
        if self._read(name) is not None:
            self._violation(f"{name} is there after its removal")
        if value is not None:
            self._write(name, value)

    def scratch(self, _: dict[str, Any]) -> None:
        if self._storage.scratch is not None:
            self._violation(f"scratch holds {self._storage.scratch}")
        self._storage.scratch = self._name
        if self._storage.scratch != self._name:
            self._violation("scratch does not hold what was written")
        del self._storage.scratch

    def verify(self, _: dict[str, Any]) -> None:
        for name, total in self._journal["totals"].items():
            if (value := self._read(name)) != total:
                self._violation(f"{name} is {value} and must be {total}")

    def egress(self, command: dict[str, Any]) -> None:
        text = f"{self._name} {self._order['id']} {self._records}"
        self._records += 1
        target = f"conformance/{command['to']}"
        if command["to"] == "kafka":
            record = kafka_egress_message(target, "topic", text, key=self._name)
        elif command["to"] == "kinesis":
            record = kinesis_egress_message(target, "stream", text, self._name, explicit_hash_key="7")
        else:
            record = egress_message_builder(target, text, StringType)
        self._context.send_egress(record)

    def send(self, command: dict[str, Any]) -> None:
        target, sent = command["target"], self._journal["sent"]
        sent[target] = sent.get(target, -1) + 1
        order = {**command["message"], "sender": self._name, "number": sent[target]}
        self._context.send(message_to(target, order))

    def after(self, command: dict[str, Any]) -> None:
        delay = timedelta(milliseconds=command["delay"])
        self._context.send_after(delay, message_to(command["target"], command["message"]), command["token"])

    def cancel(self, command: dict[str, Any]) -> None:
        self._context.cancel_delayed_message(command["token"])

    def sleep(self, command: dict[str, Any]) -> None:
        time.sleep(command["delay"] / 1000)

    def fail(self, _: dict[str, Any]) -> None:
        if self._order["id"] not in self._failed:
            self._failed.add(self._order["id"])
            raise RuntimeError(f"message {self._order['id']} fails once, as it was told to")

    def _read(self, name: str) -> int | None:
        """A state as an integer; `None` if it has no value."""
        value = getattr(self._storage, name)
        if value is None:
            return None
        return int(value["count"] if name == "json" else value)

    def _write(self, name: str, value: int) -> None:
        encoded = {"count": value} if name == "json" else ENCODERS[name](value)
        setattr(self._storage, name, encoded)

    def _violation(self, text: str) -> None:
        self._journal["violations"].append(text)


def message_to(target: str, order: dict[str, Any]) -> Message:
    typename, _, target_id = target.rpartition("/")
    return message_builder(target_typename=typename, target_id=target_id, value=order, value_type=MESSAGE)


def make_functions(*typenames: str) -> StatefulFunctions:
    """The function under each of these names."""
    registry = StatefulFunctions()
    failed: set[int] = set()

    def interpret(context: Context, message: Message) -> None:
        Instance(context, cast("dict[str, Any]", message.as_type(MESSAGE)), failed).run()

    for typename in typenames:
        registry.register(typename, interpret, SPECS)
    return registry


functions = make_functions("python/instance", "existing-python/instance")


class Handler(BaseHTTPRequestHandler):
    """Answers requests where the SDK brings no server."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, reply = 200, RequestReplyHandler(functions).handle_sync(body)
        except Exception as error:  # noqa: BLE001  whatever it raises is its answer
            status, reply = 500, f"{type(error).__name__}: {error}".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
