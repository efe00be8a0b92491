"""What the demos share: the runtime as a process of its own, which can be killed."""

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT = 30.0
STOP_TIMEOUT = 30.0


class DemoError(Exception):
    """What keeps the demo from reaching its end; the text says what to look at."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the runtime says of itself.

    `records` were read from each ingress and `invocations` made since the process started; all else is as of now.
    `idle` is true when all that came in is done and durable. Times are in milliseconds.
    """

    epoch: int
    idle: bool
    records: dict[str, int]
    finished: bool
    invocations: int
    pending: int
    delayed: int
    parked: int
    commit_p50: float
    commit_p99: float
    unwritten: int

    @classmethod
    def parse(cls, answer: dict[str, Any]) -> "Status":
        """Read the body of `/status`."""
        ingresses, egresses = answer["ingress"], answer["egress"]
        return cls(
            epoch=answer["epoch"],
            idle=answer["idle"],
            records={name: ingress["records"] for name, ingress in ingresses.items()},
            finished=all(ingress["finished"] for ingress in ingresses.values()),
            invocations=answer["invocations"],
            pending=answer["pending"],
            delayed=answer["delayed"],
            parked=answer["parked"],
            commit_p50=answer["commit_ms"]["p50"],
            commit_p99=answer["commit_ms"]["p99"],
            unwritten=sum(egress["waiting_epochs"] for egress in egresses.values()),
        )


class RuntimeProcess:
    """`statefun run`, with its data and its log in `directory`."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        """Args: `arguments` are those of the command: module files, functions, settings."""
        self.data = directory / "data"
        self.log = directory / "runtime.log"
        self._port = free_port()
        self.command = [
            str(Path(sys.executable).with_name("statefun")),
            "run",
            *arguments,
            "--data",
            str(self.data),
            "--admin",
            f"127.0.0.1:{self._port}",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Status:
        """Start it and wait until it answers; return its first status."""
        with self.log.open("ab") as log:
            # In a session of its own, so that Ctrl-C reaches the demo alone, which then stops the runtime.
            self._process = subprocess.Popen(  # noqa: S603  (the command is built here, of paths alone)
                self.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        give_up = time.monotonic() + START_TIMEOUT
        while (status := self.status()) is None:
            if time.monotonic() > give_up:
                raise DemoError(f"the runtime did not answer within {START_TIMEOUT:.0f} s; its log: {self.log}")
            time.sleep(0.02)
        return status

    def status(self) -> Status | None:
        """Its status; None if it does not answer yet. Raises DemoError if it ended by itself."""
        if self._process is None or self._process.poll() is not None:
            raise DemoError(f"the runtime ended by itself; the end of its log, {self.log}:\n{self._log_end()}")
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", "/status")
            response = connection.getresponse()
            return Status.parse(json.loads(response.read())) if response.status == http.HTTPStatus.OK else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def kill(self) -> None:
        """End it at once, as a power cut would end its work: no handler of it runs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def stop(self) -> None:
        """Ask it to finish and wait. Raises DemoError if it does not end, or not with success."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise DemoError(f"the runtime did not stop within {STOP_TIMEOUT:.0f} s; its log: {self.log}") from None
        if code != os.EX_OK:
            raise DemoError(f"the runtime stopped with code {code}; the end of its log, {self.log}:\n{self._log_end()}")

    def _log_end(self) -> str:
        return "\n".join(self.log.read_text("utf-8", errors="replace").splitlines()[-15:])


@contextmanager
def alone_in(directory: Path) -> Iterator[None]:
    """Hold the lock of `directory`. Raises DemoError if another demo has it."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    with directory.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"another demo runs in {directory}; wait for it, or give --directory") from None
        yield
