"""A small HTTP server that answers what Flink 1.16 answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

Answers = dict[str, tuple[int, object]]
"""By method and path: the status and the body of the answer."""


@contextmanager
def answering(answers: Answers) -> Iterator[str]:
    """The URL of a server that gives these answers, which a test may change meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            status, body = answers[f"{self.command} {self.path}"]
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def overview(state: str, running: int, total: int = 3) -> tuple[int, object]:
    """The answer of /jobs/overview for one job, called `j`."""
    return 200, {
        "jobs": [{"jid": "j", "name": "statefun", "state": state, "tasks": {"total": total, "running": running}}]
    }


def failures(*stack_traces: str) -> tuple[int, object]:
    """The answer of /jobs/j/exceptions; the newest comes first, as Flink has it."""
    entries = [{"timestamp": at, "stacktrace": text} for at, text in enumerate(stack_traces, 1)]
    return 200, {"exceptionHistory": {"entries": entries[::-1], "truncated": False}}
