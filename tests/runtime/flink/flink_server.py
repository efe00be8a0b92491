"""An HTTP server that answers what Flink 1.16.3 answered when it was asked the same (recorded, shortened)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

JOB = "9290acb298ab1e8d73c1590b0077d25e"
REQUEST = "fcfd12ee0bdc686aa9f9cd1e712d8eda"
PLACE = "file:/app/savepoints/savepoint-9290ac-8b1d35e12b3d"
FAILURE = """\
org.apache.flink.runtime.JobException: Recovery is suppressed
\tat org.apache.flink.runtime.executiongraph.failover.flip1.ExecutionFailureHandler.handleFailure(Unknown Source)
Caused by: java.lang.IllegalStateException: Failure forwarding a message to a remote function Address(shop, cart, ada)
\tat org.apache.flink.statefun.flink.core.reqreply.RequestReplyFunction.onAsyncResult(RequestReplyFunction.java:1)
"""

CHECKPOINT = {
    "className": "completed",
    "id": 2,
    "status": "COMPLETED",
    "is_savepoint": False,
    "trigger_timestamp": 1795550899786,
    "latest_ack_timestamp": 1795550899843,
    "checkpointed_size": 8038,
    "state_size": 8038,
    "end_to_end_duration": 57,
    "checkpoint_type": "CHECKPOINT",
    "external_path": f"file:/app/checkpoints/{JOB}/chk-2",
    "discarded": True,
}
SAVEPOINT = {**CHECKPOINT, "is_savepoint": True, "checkpoint_type": "SAVEPOINT", "external_path": PLACE}


def overview(state: str = "RUNNING", running: int = 3, job: str = JOB) -> dict[str, Any]:
    return {
        "jid": job,
        "name": "statefun",
        "state": state,
        "start-time": 1795550888746,
        "end-time": -1,
        "duration": 12341,
        "last-modification": 1795550898698,
        "tasks": {"total": 3, "created": 3 - running, "running": running, "finished": 0, "failed": 0},
    }


class FlinkAnswers:
    """What the server answers, by method and path; `asked` are the bodies it got."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.in_progress = 0
        """How many times a savepoint that was asked for is not there yet."""
        self.outcome: dict[str, Any] = {"location": PLACE}
        self.ends = False
        """Whether it answers nothing any more once it was asked to stop a job."""
        self.leaves: tuple[Path, ...] = ()
        """Savepoints that are there once it was asked to stop a job."""
        self.lost = 0
        """How many of its next answers to what it is asked to do get lost."""
        self._requests = {REQUEST}
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {
            ("GET", "/jobmanager/config"): (200, [{"key": "state.savepoints.dir", "value": "file:/app/savepoints"}])
        }
        self.has_jobs(overview())

    def has_jobs(self, *jobs: dict[str, Any]) -> None:
        self.answers["GET", "/jobs/overview"] = 200, {"jobs": list(jobs)}
        for job in jobs:
            path = f"/jobs/{job['jid']}"
            self.answers["GET", f"{path}/exceptions"] = 200, {"exceptionHistory": {"entries": [], "truncated": False}}
            self.answers["GET", f"{path}/checkpoints"] = (
                200,
                {
                    "counts": {"restored": 0, "total": 7, "in_progress": 0, "completed": 2, "failed": 5},
                    "latest": {"completed": CHECKPOINT, "savepoint": SAVEPOINT, "failed": None, "restored": None},
                },
            )
            for what in ("savepoints", "stop"):
                self.answers["POST", f"{path}/{what}"] = 202, {"request-id": REQUEST}

    def has_failed(self) -> None:
        entry = {"exceptionName": "JobException", "stacktrace": FAILURE, "timestamp": 1795550904000}
        self.answers["GET", f"/jobs/{JOB}/exceptions"] = (
            200,
            {"exceptionHistory": {"entries": [entry], "truncated": False}},
        )

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if body:
            self.asked.append((path, json.loads(body)))
            self._requests.add(self.asked[-1][1].get("triggerId", REQUEST))
        if path.endswith("/stop"):
            for savepoint in self.leaves:
                make_savepoint(savepoint)
        if path.rpartition("/")[0] == f"/jobs/{JOB}/savepoints" and path.rpartition("/")[2] in self._requests:
            if self.in_progress:
                self.in_progress -= 1
                return 200, {"status": {"id": "IN_PROGRESS"}, "operation": None}
            return 200, {"status": {"id": "COMPLETED"}, "operation": self.outcome}
        missing = 404, {"errors": [f"org.apache.flink.runtime.rest.NotFoundException: {path} not found\n\tat x.y(Z)\n"]}
        return self.answers.get((method, path), missing)


def make_savepoint(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "_metadata").write_bytes(b"")


@contextmanager
def flink_server(answers: FlinkAnswers) -> Iterator[str]:
    """Serve `answers` on a free port; the value is the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if answers.ends and any(path.endswith("/stop") for path, _ in answers.asked):
                self.close_connection = True
                return
            status, said = answers.answer(self.command, self.path, body)
            if body and answers.lost:
                answers.lost -= 1
                self.close_connection = True
                return
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
