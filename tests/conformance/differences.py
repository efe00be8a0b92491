"""What the Go SDK and this one answer differently: the rows of a table in docs/reference/compatibility.md."""

from typing import Any

from statefun.protocol.egress_pb2 import KafkaProducerRecord
from tests.conformance.replies import CLOSED
from tests.protocol.generate import value_of

ECHO = ("golden", "echo", "echo")
NEXT = ("golden", "next", "id")
ONE = ("io.statefun.types/int", True, value_of("int", 1).value)
KAFKA = "type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord"
Brief = tuple[int, dict[str, Any]]


def facts(caller: list[str] | None) -> dict[str, Any]:
    self = ["golden", "script", "id", "golden/script"]
    return {"egress": [("golden", "facts", [self, caller]), ("golden", "facts", ["golden/script", "id"])]}


def message(target: tuple[str, str, str], kind: str, value: Any) -> dict[str, Any]:
    made = value_of(kind, value)
    return {"messages": [(target, (made.typename, True, made.value))]}


def counted(seen: int) -> dict[str, Any]:
    value = value_of("int", seen)
    return {"mutations": [("seen", 1, (value.typename, True, value.value))]}


def removed(name: str) -> dict[str, Any]:
    return {"mutations": [(name, 0, ("", False, b""))]}


def kafka(value: bytes) -> dict[str, Any]:
    record = KafkaProducerRecord(key="key", topic="topic").SerializeToString()
    return {"egress": [("golden", "kafka", (KAFKA, True, record, value))]}


DIFFERENCES: dict[str, tuple[Brief, Brief]] = {
    "a content type with a parameter": ((415, {}), (200, counted(8))),
    "a content type in capitals": ((415, {}), (200, counted(8))),
    "a GET of the health": ((405, {}), (200, {})),
    "a chunked request without a body": ((CLOSED, {}), (400, {})),
    "a body that holds no invocation": ((CLOSED, {}), (500, {})),
    "a body of 33 MiB": ((200, message(ECHO, "string", "x" * (33 * 1024 * 1024))), (413, {})),
    "a target without an id": ((200, message(ECHO, "int", 1)), (500, {})),
    "a caller of empty fields is no caller": ((500, {}), (200, facts(None))),
    "a caller of which only a part is told": ((500, {}), (200, facts(["", "caller", "", "/caller"]))),
    "a message without value": ((200, message(ECHO, "int", 0)), (200, {})),
    "a sum beyond 32 bits": ((200, counted(-(2**31))), (500, {})),
    "a state of another type is refused": ((200, {}), (500, {})),
    "send to an empty id": ((200, message(("golden", "next", ""), "int", 1)), (500, {})),
    "a negative delay": ((200, {"delayed": [(NEXT, ONE, -1, False, "t")]}), (500, {})),
    "Kafka: an int beyond 32 bits is refused": ((200, kafka(b"\0\0\0\0\x80\0\0\0")), (500, {})),
    "store, read and remove rough": ((500, {}), (200, removed("rough"))),
    "store, read and remove exact": ((500, {}), (200, removed("exact"))),
}
"""What Go's SDK answers and what this one does: the status, and the effects of which there are some."""
