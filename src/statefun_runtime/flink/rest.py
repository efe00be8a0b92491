"""Flink's REST interface, as far as the commands need it."""

import http.client
import json
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from statefun_runtime.errors import FlinkError

_SECONDS = 10.0


class NoAnswerError(FlinkError):
    """Nobody answers at the address, or not yet."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job: its id, Flink's word for its state (`RUNNING`, `RESTARTING`, …), and whether all its tasks run."""

    id: str
    state: str
    all_run: bool


class FlinkRest:
    """Asks one JobManager. Every method raises NoAnswerError when nobody answers, FlinkError when it is refused."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._at = urlsplit(self.url)

    def jobs(self) -> list[Job]:
        """The jobs, those of this run that have ended too."""
        return [_job(described) for described in self.get("/jobs/overview")["jobs"]]

    def failures(self, job: str) -> list[tuple[int, str]]:
        """When the job failed (milliseconds since 1970) and the Java stack trace of why, oldest first."""
        history = self.get(f"/jobs/{job}/exceptions").get("exceptionHistory", {}).get("entries", [])
        return sorted((entry["timestamp"], entry["stacktrace"]) for entry in history)

    def stop(self, job: str, savepoints: str | None, request: str) -> None:
        """Ask to stop a job with a savepoint, of which `saved` then tells by the id `request`, 32 hexadecimal digits.

        Without a directory the savepoint is made where Flink is configured to make them. If the answer is lost, the
        same may be asked again.
        """
        asked = {"targetDirectory": savepoints, "drain": False, "formatType": "CANONICAL", "triggerId": request}
        self.post(f"/jobs/{job}/stop", asked)

    def savepoint(self, job: str, savepoints: str | None) -> str:
        """Ask for a savepoint of a job that goes on; return the id by which `saved` tells of it."""
        asked = {"target-directory": savepoints, "cancel-job": False, "formatType": "CANONICAL"}
        return str(self.post(f"/jobs/{job}/savepoints", asked)["request-id"])

    def savepoint_directory(self) -> str | None:
        """Where Flink is configured to make savepoints, under the key of 1.16 or that of 2.x."""
        configured = {entry["key"]: entry["value"] for entry in self.get("/jobmanager/config")}
        return configured.get("state.savepoints.dir") or configured.get("execution.checkpointing.savepoint-dir")

    def saved(self, job: str, request: str) -> str | None:
        """Where the savepoint that was asked for lies, `None` while it is being made."""
        answer = self.get(f"/jobs/{job}/savepoints/{request}")
        if answer["status"]["id"] != "COMPLETED":
            return None
        operation = answer["operation"]
        if "failure-cause" in operation:
            raise FlinkError(f"no savepoint was made: {root_cause(str(operation['failure-cause']['stack-trace']))}")
        return str(operation["location"])

    def get(self, path: str) -> Any:
        return self._ask("GET", path, None)

    def post(self, path: str, body: object) -> Any:
        return self._ask("POST", path, json.dumps(body))

    def _ask(self, method: str, path: str, body: str | None) -> Any:
        connect = http.client.HTTPSConnection if self._at.scheme == "https" else http.client.HTTPConnection
        connection = connect(self._at.hostname or "", self._at.port, timeout=_SECONDS)
        try:
            connection.request(method, self._at.path + path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswerError(f"nobody answers at {self.url}: {error}") from error
        finally:
            connection.close()
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise NoAnswerError(f"{self.url} does not answer yet: {_shortened(said)}")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise FlinkError(f"{self.url}{path} answers {answer.status}: {_shortened(said)}")
        return json.loads(said)


def root_cause(stack_trace: str) -> str:
    """The message of the innermost cause of a Java stack trace: what a person needs to read first."""
    headlines = [line for line in stack_trace.splitlines() if line and not line[0].isspace() and "more" not in line[:8]]
    last = headlines[-1] if headlines else stack_trace
    name, colon, message = last.removeprefix("Caused by: ").partition(": ")
    return f"{message} ({name.rpartition('.')[2]})" if colon else name


def _job(described: Any) -> Job:
    tasks = described["tasks"]
    return Job(described["jid"], described["state"], tasks["total"] > 0 and tasks["running"] == tasks["total"])


def _shortened(said: bytes) -> str:
    """The errors of an answer, which Flink lists as Java's messages or stack traces."""
    text = said.decode(errors="replace")
    with suppress(ValueError, KeyError, TypeError):
        text = "; ".join(root_cause(error) for error in json.loads(text)["errors"])
    return text[:500]
