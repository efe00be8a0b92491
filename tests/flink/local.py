"""`statefun flink local` in a process of its own."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

from scripts.ports import free_port
from tests.e2e.command import ROOT, Command

SECONDS = 240.0
"""The longest that Flink may take for anything: Java and its load share two cores with the tests."""


class FlinkLocal:
    """An application on Flink, in a home of its own; it can be started again and again.

    Without `functions` it has those alone that its endpoints name.
    """

    def __init__(self, directory: Path, module: Path, functions: str | None = None, cwd: Path = ROOT) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.port = free_port()
        self._what = (str(module), *(("--functions", functions) if functions else ()))
        self._cwd = cwd
        self._command: Command | None = None

    @property
    def command(self) -> Command:
        assert self._command is not None
        return self._command

    @property
    def said(self) -> str:
        """What it told at the terminal, in all its runs."""
        return self.command.log.read_text()

    def launch(self, *options: str) -> None:
        """Start it without waiting, with further options."""
        self._command = Command(
            self.directory,
            *("flink", "local", *self._what, "--home", str(self.home), "--port", str(self.port), *options),
            ready=lambda: True,
            cwd=self._cwd,
        )

    def start(self, *options: str) -> "FlinkLocal":
        """Start it and wait until the job runs."""
        before = self.said.count("the job runs") if self._command is not None else 0
        self.launch(*options)
        self.wait_until(lambda: self.said.count("the job runs") > before, "a running job")
        return self

    def stop(self) -> int:
        """Stop it by Ctrl-C; its exit code."""
        self.command.send(signal.SIGINT)
        return self.command.process.wait(SECONDS)

    def kill(self) -> None:
        """End what it left behind, when a test fails."""
        if self._command is not None and self.command.process.poll() is None:
            self.command.send(signal.SIGTERM)
            self.command.process.wait(SECONDS)

    def savepoint(self) -> str:
        """The last savepoint that it told of."""
        found: list[str] = re.findall(r"--from-savepoint (\S+)", self.said)
        assert found, self.said
        return found[-1]

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Poll until `condition` holds, while the command runs."""
        give_up = time.monotonic() + SECONDS
        while not condition():
            assert self.command.process.poll() is None, f"it ended by itself: {self.said}"
            assert time.monotonic() < give_up, f"{what} did not come within {SECONDS} s: {self.said}"
            time.sleep(0.05)


def children(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def java_of(pid: int) -> int:
    """The process of Java that a process started."""
    return next(
        child for child in children(pid) if b"java" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[0]
    )
