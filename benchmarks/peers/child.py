"""A process of a measured system: its log, its start and its end."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 20.0
TAIL_LINES = 15


class ChildError(Exception):
    """A process does not start, or has ended by itself; the text has the last lines of its log."""


class Child:
    """A process that logs into a file and runs until it is stopped. Used as a context, it is stopped at its end."""

    def __init__(self, log: Path, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._log = log
        with log.open("ab") as output:
            # In a process group of its own: Ctrl-C at the terminal is for the process that stops it in order.
            self._process = subprocess.Popen(
                command,
                cwd=log.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def check(self) -> None:
        """Raises ChildError if it has ended."""
        if (code := self._process.poll()) is not None:
            raise ChildError(f"{self._log.name} ended by itself with {code}:\n{self.tail()}")

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
        """Poll until `condition` holds. Raises ChildError if it ends before that, or time does."""
        give_up = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > give_up:
                raise ChildError(f"{what} did not come within {seconds:.0f} s; {self._log.name}:\n{self.tail()}")
            time.sleep(0.02)

    def tail(self) -> str:
        return "\n".join(self.said.splitlines()[-TAIL_LINES:])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it by a signal; what does not end is sent the signal again, and at last killed."""
        for last in (number, number, signal.SIGKILL):
            self._process.send_signal(last)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            return
        self._process.wait()
