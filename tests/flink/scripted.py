"""Remote functions whose every answer a test gives, over HTTP as Flink calls them."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

from statefun.protocol.egress_pb2 import KafkaProducerRecord
from statefun.protocol.request_reply_pb2 import FromFunction, ToFunction

RECORD = "type.googleapis.com/io.statefun.sdk.egress.KafkaProducerRecord"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function: `number` counts those of its address from 1."""

    number: int
    at: float
    request: ToFunction

    @property
    def values(self) -> list[str]:
        return [message.argument.value.decode() for message in self.request.invocation.invocations]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP server says to a call."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Script: TypeAlias = Callable[[Call], Answer | FromFunction]


class ScriptedFunctions:
    """Answers calls by the script of the function's name and id, such as `hasty/slow`, and remembers them."""

    def __init__(self, scripts: dict[str, Script]) -> None:
        self._scripts = scripts
        self._lock = threading.Lock()
        self.calls: dict[str, list[Call]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, args=(0.05,)).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def called(self, address: str) -> list[Call]:
        return self.calls.get(address, [])

    def answer(self, body: bytes) -> Answer:
        request = ToFunction.FromString(body)
        target = request.invocation.target
        address = f"{target.type}/{target.id}"
        with self._lock:
            calls = self.calls.setdefault(address, [])
            call = Call(len(calls) + 1, time.monotonic(), request)
            calls.append(call)
        answer = self._scripts[address](call)
        return answer if isinstance(answer, Answer) else Answer(answer.SerializeToString())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        functions = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                answer = functions.answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", str(len(answer.body)))
                with suppress(ConnectionError):  # Flink leaves when the time for a call is over
                    self.end_headers()
                    self.wfile.write(answer.body)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Say nothing of each request."""

        return Handler


def record(key: str, value: str) -> FromFunction:
    """A reply with one record for the topic `out`."""
    reply = FromFunction()
    egress = reply.invocation_result.outgoing_egresses.add(egress_namespace="cells", egress_type="out")
    egress.argument.typename, egress.argument.has_value = RECORD, True
    made = KafkaProducerRecord(key=key, value_bytes=value.encode(), topic="cells-out")
    egress.argument.value = made.SerializeToString()
    return reply
