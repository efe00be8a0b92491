"""A small HTTP server on a real socket that answers as a test says, byte for byte."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Received(NamedTuple):
    """A request; `connection` numbers the connections in the order in which they were opened."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Act(NamedTuple):
    """What the server does about a request: writes `content`, and then keeps the connection or closes it."""

    content: bytes
    closes: bool = False


DROP = Act(b"", closes=True)


def answer(status: int, body: bytes = b"", **headers: str) -> Act:
    """A complete response. Underscores in names stand for dashes."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in {**headers, "Content_Length": len(body)}.items()]
    return Act("\r\n".join([f"HTTP/1.1 {status} Whatever", *lines, "", ""]).encode() + body)


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Plays `acts` one by one; without one it stays silent until it is closed."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.acts: list[Act] = []
        self.received: list[Received] = []
        self.connections = 0
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    server: ScriptedServer

    def handle(self) -> None:
        self.server.connections += 1
        number = self.server.connections
        while line := self.rfile.readline():
            method, path, _ = line.decode().split()
            headers: dict[str, str] = {}
            while (field := self.rfile.readline().decode().strip()) != "":
                name, _, value = field.partition(": ")
                headers[name.lower()] = value
            body = self.rfile.read(int(headers.get("content-length", "0")))
            self.server.received.append(Received(method, path, headers, body, number))
            if not self.server.acts:
                self.server.closing.wait()
                return
            act = self.server.acts.pop(0)
            self.wfile.write(act.content)
            if act.closes:
                return


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            serving.join()
