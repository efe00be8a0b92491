"""Two function servers with the functions of `tests/protocol/application.py`, asked the same over HTTP."""

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from statefun.protocol.egress_pb2 import KafkaProducerRecord, KinesisEgressRecord
from statefun.protocol.request_reply_pb2 import FromFunction, TypedValue
from statefun.protocol.types_pb2 import StringWrapper
from tests.conformance.languages import Language
from tests.e2e.command import STATEFUN

GO = Language("go", "replies", ("go",), (("go", "build", "-o", "server", "."),), lambda built: (str(built / "server"),))
OURS = Language(
    "ours", "python", (), (), lambda _: (STATEFUN, "serve", "tests.protocol.application:functions", "--port")
)
OCTET_STREAM = "application/octet-stream"
CLOSED = 0
"""Instead of a status: the connection was closed without an answer."""
FACTS = ("golden", "facts")
RECORDS: dict[str, type[KafkaProducerRecord | KinesisEgressRecord]] = {
    "type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord": KafkaProducerRecord,
    "type.googleapis.com/io.statefun.sdk.egress.KinesisEgressRecord": KinesisEgressRecord,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request over HTTP. A chunked one does not announce the length of its body."""

    body: bytes = b""
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": OCTET_STREAM})
    path: str = "/statefun"
    chunked: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `meaning` is the effects of a reply, by kind, and None for a refusal, whose text differs."""

    status: int
    content_type: str | None
    meaning: dict[str, Any] | None = None


def ask(port: int, request: Request) -> Answer:
    """The answer of the server at this port of loopback."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        body = iter([request.body] if request.body else []) if request.chunked else request.body
        connection.request(request.method, request.path, body, dict(request.headers))
        response = connection.getresponse()
        data = response.read()
    except (ConnectionResetError, BrokenPipeError):
        return Answer(CLOSED, None)
    finally:
        connection.close()
    meaning = meaning_of(data) if response.status == http.HTTPStatus.OK and request.method == "POST" else None
    return Answer(response.status, response.headers["Content-Type"], meaning)


def meaning_of(reply: bytes) -> dict[str, Any]:
    """What a reply says. States have no order, JSON no bytes, and what was told in Python's own words is left out."""
    parsed = FromFunction.FromString(reply)
    result = parsed.invocation_result
    return {
        "missing": sorted(
            (spec.state_name, spec.type_typename, spec.expiration_spec.mode, spec.expiration_spec.expire_after_millis)
            for spec in parsed.incomplete_invocation_context.missing_values
        ),
        "mutations": sorted(
            (
                (change.state_name, change.mutation_type, value_of(change.state_value))
                for change in result.state_mutations
            ),
            key=itemgetter(0),
        ),
        "messages": [(address(message.target), value_of(message.argument)) for message in result.outgoing_messages],
        "delayed": [
            (
                *(address(delayed.target), value_of(delayed.argument), delayed.delay_in_ms),
                *(delayed.is_cancellation_request, delayed.cancellation_token),
            )
            for delayed in result.delayed_invocations
        ],
        "egress": list(records(result)),
    }


def records(result: FromFunction.InvocationResponse) -> Iterator[tuple[Any, ...]]:
    for record in result.outgoing_egresses:
        name = (record.egress_namespace, record.egress_type)
        value = value_of(record.argument)
        if name != FACTS:
            yield (*name, value)
        elif isinstance(facts := json.loads(StringWrapper.FromString(record.argument.value).value), list):
            yield (*name, facts)


def address(target: Any) -> tuple[str, str, str]:
    return target.namespace, target.type, target.id


def value_of(value: TypedValue) -> tuple[Any, ...]:
    """Typename, whether there is a value, and what it holds."""
    if value.typename in RECORDS:
        record = RECORDS[value.typename].FromString(value.value)
        told = json_or_bytes(record.value_bytes)
        record.ClearField("value_bytes")
        return value.typename, value.has_value, record.SerializeToString(deterministic=True), told
    held = json.loads(value.value) if value.typename == "golden/json" and value.has_value else value.value
    return value.typename, value.has_value, held


def json_or_bytes(data: bytes) -> Any:
    """A list or an object of JSON as what it says, all else as its bytes."""
    try:
        told = json.loads(data)
    except ValueError:
        return data
    return told if isinstance(told, list | dict) else data.removesuffix(b"\n")
